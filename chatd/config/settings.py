"""Every setting of chatd: one row each.

The sections below are the table: the type and the default of a setting stand where Python puts them, and beside the
type its row says how it is written, what it means, and whether SIGHUP may change it. chatd.toml, docs/settings.md and
`chatd config` are printed from here; chatd/config/load.py fills it from files, environment and flags.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args, get_type_hints

from msgspec import Struct, field

from chatd.config.kinds import (
    Choice,
    Duration,
    Hidden,
    HostName,
    HttpUrl,
    ListenHost,
    Mode,
    Name,
    NamedValues,
    Origin,
    Pem,
    Proxy,
    PublicUrl,
    RateSetting,
    Secret,
    SettingRow,
    Several,
    Share,
    Size,
    Switch,
    Text,
    Whole,
)

KIB, MIB, MINUTE, DAY = 1024, 1024 * 1024, 60.0, 86400.0
SYMMETRIC = ("HS256", "HS384", "HS512")
ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class Section(Struct, frozen=True, kw_only=True):
    """One `[section]` of the file; each field is a setting."""


class ServerSettings(Section, frozen=True, kw_only=True):
    """Where chatd listens, and whom it believes."""

    host: Annotated[str, ListenHost("The address to listen on; `::` is every address, IPv6 and IPv4.")] = "127.0.0.1"
    port: Annotated[int, Whole("The port to listen on; 0 takes a free one and prints it.", most=65535)] = 3000
    unix: Annotated[
        str,
        Text(
            "Listen on a unix socket with this path as well; empty for none. It speaks plain HTTP, also beside TLS.",
            noun="a path",
        ),
    ] = ""
    unix_mode: Annotated[
        str, Mode("The mode of the unix socket's file: 0660 admits chatd's own user and group, 0666 every local user.")
    ] = "0660"
    tls_certificate: Annotated[
        str, Text("A PEM file with the certificate and its chain; empty for no TLS.", noun="a path")
    ] = ""
    tls_key: Annotated[str, Text("The PEM file with the key of the certificate.", noun="a path")] = ""
    public_url: Annotated[
        str,
        PublicUrl(
            "Where browsers find this server, such as https://chat.example.org: its own origin, the only one when set.",
            live=True,
        ),
    ] = ""
    hosts: Annotated[
        tuple[str, ...],
        Several(
            "Without public_url: names by which browsers may reach this server, besides localhost, addresses and the "
            "machine's own name.",
            live=True,
            each=HostName(),
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        Several(
            'Other sites whose pages may use this server, matched exactly; "*" is every site, without credentials.',
            live=True,
            each=Origin(any=True),
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Several(
            'Proxies whose X-Forwarded-For and -Proto are believed; "unix" is a proxy on the unix socket.',
            live=True,
            each=Proxy(),
        ),
    ] = ()
    stop_timeout: Annotated[
        float, Duration("How long clients get to take what is theirs when chatd stops.", most=9)
    ] = 5.0


class DataSettings(Section, frozen=True, kw_only=True):
    """Where everything is kept, and how surely."""

    directory: Annotated[str, Text("The folder with the database, the secret and the files.", noun="a path")] = "data"
    synchronous: Annotated[
        Literal["FULL", "NORMAL"],
        Choice(
            "FULL syncs to disk before every acknowledgement; NORMAL may lose the last ones when the power fails.",
            words=("FULL", "NORMAL"),
        ),
    ] = "FULL"
    readers: Annotated[int, Whole("Connections that read beside the one that writes.", least=1, most=16)] = 2
    batch: Annotated[int, Whole("Units of work that one commit takes at most.", least=1, most=4096)] = 256
    busy_timeout: Annotated[float, Duration("How long to wait for another program's lock on the database.", most=5)] = (
        4.0
    )


class AuthSettings(Section, frozen=True, kw_only=True):
    """Whose tokens are believed, and who may make an account."""

    secret: Annotated[
        Secret, Hidden("Secret for HS256 tokens; empty uses the one that chatd made in its folder.", least=32)
    ] = Secret("")
    keys: Annotated[
        dict[str, Secret],
        NamedValues("More keys, by the `kid` that a token names: secrets, or PEM public keys.", each=Hidden(least=32)),
    ] = field(default_factory=dict)
    algorithms: Annotated[
        tuple[str, ...],
        Several(
            "Signatures to accept; empty takes HS256 for secrets, and RS256, ES256 and EdDSA for public keys.",
            each=Choice(words=SYMMETRIC + ASYMMETRIC),
        ),
    ] = ()
    public_key: Annotated[str, Pem("The PEM public key of whoever issues the tokens, or its file.")] = ""
    jwks_file: Annotated[str, Text("A file with the issuer's keys as a JSON Web Key Set (JWKS).", noun="a path")] = ""
    jwks_url: Annotated[str, HttpUrl("The address of the issuer's JSON Web Key Set, fetched in the background.")] = ""
    jwks_refresh: Annotated[float, Duration("How often the key set is fetched again.", least=10)] = 5 * MINUTE
    issuer: Annotated[str, Text("The `iss` that a token must have; empty takes any.")] = ""
    audience: Annotated[str, Text("The `aud` that a token must have; empty takes any.")] = ""
    leeway: Annotated[
        float, Duration("How far the issuer's clock may be ahead: for `nbf` and `iat`, never for `exp`.", most=300)
    ] = 5.0
    user_claims: Annotated[
        tuple[str, ...], Several("The claims that may name the user; the first that is there counts.")
    ] = ("user_id", "userId", "id", "sub")
    provision: Annotated[
        Literal["auto", "on", "off"],
        Choice(
            "Whether a token of an unknown user makes that user; auto does when a key of one's own is configured.",
            words=("auto", "on", "off"),
        ),
    ] = "auto"
    registration: Annotated[
        Literal["closed", "invite", "open"],
        Choice(
            "Who may register: nobody, those with an invite (`chatd invite`), or everybody who reaches the server.",
            live=True,
            words=("closed", "invite", "open"),
        ),
    ] = "invite"
    access_ttl: Annotated[float, Duration("How long an access token lasts.", live=True, least=1)] = 15 * MINUTE
    refresh_ttl: Annotated[float, Duration("How long a refresh token lasts.", live=True, least=1)] = 30 * DAY
    insecure_userid: Annotated[
        bool, Switch("Believe `?userId=` without a token: for trying an example on loopback, never for people.")
    ] = False


class LimitSettings(Section, frozen=True, kw_only=True):
    """What one client may take. 0 turns a limit off; rates are per second, their bursts stand beside them."""

    message_bytes: Annotated[int, Size("A WebSocket message that a client sends.", live=True)] = 64 * KIB
    message_fragments: Annotated[int, Whole("Fragments of one WebSocket message.", live=True)] = 1024
    json_depth: Annotated[int, Whole("How deep JSON may be nested.", live=True)] = 32
    json_values: Annotated[int, Whole("Values in the JSON of one message or body.", live=True)] = 5000
    outbox_bytes: Annotated[int, Size("What may wait for one slow connection before it is closed.", live=True)] = MIB
    body_bytes: Annotated[int, Size("The body of a REST request.", live=True)] = MIB
    first_body_bytes: Annotated[int, Size("The body of a request that shows no valid token.", live=True)] = 8 * KIB
    head_bytes: Annotated[int, Size("The head of a request.", live=True)] = 16 * KIB
    head_timeout: Annotated[float, Duration("Until the head of a request is complete.", live=True)] = 10.0
    tls_timeout: Annotated[float, Duration("Until the TLS handshake is complete.", live=True)] = 10.0
    auth_timeout: Annotated[float, Duration("Until a new socket has shown its token.", live=True)] = 10.0
    idle_timeout: Annotated[float, Duration("A kept-alive HTTP connection without a request.", live=True)] = 30.0
    ping_interval: Annotated[float, Duration("Between two pings on a WebSocket.", live=True)] = 25.0
    ping_timeout: Annotated[float, Duration("Until the pong to a ping has come.", live=True)] = 20.0
    calls_per_connection: Annotated[float, RateSetting("Calls on one connection.", live=True)] = 50.0
    calls_per_connection_burst: Annotated[int, Whole("Calls at once on one connection.", live=True)] = 100
    control_frames_per_connection: Annotated[
        float, RateSetting("Pings, pongs and empty fragments on one WebSocket; above it close 4029.", live=True)
    ] = 50.0
    control_frames_per_connection_burst: Annotated[
        int, Whole("Control frames at once on one WebSocket.", live=True)
    ] = 100
    typing_per_connection: Annotated[float, RateSetting("Typing signals on one connection.", live=True)] = 5.0
    typing_per_connection_burst: Annotated[int, Whole("Typing signals at once.", live=True)] = 5
    sends_per_user: Annotated[float, RateSetting("Messages sent, edited and deleted by one user.", live=True)] = 20.0
    sends_per_user_burst: Annotated[int, Whole("Messages at once by one user.", live=True)] = 60
    groups_per_user: Annotated[float, RateSetting("Groups that one user makes.", live=True)] = 30 / 3600
    groups_per_user_burst: Annotated[int, Whole("Groups at once by one user.", live=True)] = 30
    additions_per_user: Annotated[float, RateSetting("Members that one user adds to conversations.", live=True)] = (
        1000 / 3600
    )
    additions_per_user_burst: Annotated[int, Whole("Members added at once by one user.", live=True)] = 1000
    rest_per_user: Annotated[float, RateSetting("REST requests of one user, or of one address.", live=True)] = 50.0
    rest_per_user_burst: Annotated[int, Whole("REST requests at once.", live=True)] = 100
    anonymous_per_address: Annotated[
        float, RateSetting("Requests from one address whose token is not known to be valid.", live=True)
    ] = 50.0
    anonymous_per_address_burst: Annotated[int, Whole("Such requests at once from one address.", live=True)] = 100
    logins_per_account: Annotated[float, RateSetting("Failed logins to one account.", live=True)] = 5 / 1800
    logins_per_account_burst: Annotated[int, Whole("Failed logins at once to one account.", live=True)] = 5
    logins_per_address: Annotated[float, RateSetting("Failed logins from one address.", live=True)] = 30 / 1800
    logins_per_address_burst: Annotated[int, Whole("Failed logins at once from one address.", live=True)] = 30
    registrations_per_address: Annotated[
        float, RateSetting("Attempts to make an account from one address, IPv6 by /64.", live=True)
    ] = 5 / 3600
    registrations_per_address_burst: Annotated[int, Whole("Such attempts at once.", live=True)] = 5
    renewals_per_address: Annotated[float, RateSetting("Refreshes and logouts from one address.", live=True)] = 5.0
    renewals_per_address_burst: Annotated[int, Whole("Refreshes and logouts at once.", live=True)] = 100
    refusals: Annotated[int, Whole("RATE_LIMITED so often in 10 s closes the connection.", live=True)] = 3
    connections_per_address: Annotated[int, Whole("Connections from one address.", live=True)] = 200
    connections_share: Annotated[
        float, Share("Connections in all, as a share of the file descriptors that chatd may open.", live=True)
    ] = 0.9
    text_characters: Annotated[int, Whole("Characters of a message.", live=True)] = 10000
    attachments: Annotated[int, Whole("Attachments of a message.", live=True)] = 10
    members: Annotated[int, Whole("Members of a conversation.", live=True)] = 1000
    rooms_per_socket: Annotated[int, Whole("Conversations that one socket has joined.", live=True)] = 1000
    page_default: Annotated[int, Whole("Rows of a list when the request names no limit.", live=True, least=1)] = 20
    page: Annotated[int, Whole("Rows of a list that a request may ask for.", live=True)] = 200
    page_bytes: Annotated[
        int,
        Size("Bytes of a page of a list: a longer page ends sooner, with a link to the rest.", live=True),
    ] = MIB
    unsent_per_user: Annotated[
        int, Size("Bytes of REST answers that wait for one user who does not read; above it 503.", live=True)
    ] = 16 * MIB
    replay_batch: Annotated[int, Whole("Events that are read at once to catch up.", live=True)] = 500


class SocketIoSettings(Section, frozen=True, kw_only=True):
    """What Socket.IO clients are told."""

    recovery: Annotated[
        Literal["ask", "always", "never"],
        Choice(
            "Whether missed events are sent again after a reconnect: only to clients that ask, or to all.",
            words=("ask", "always", "never"),
        ),
    ] = "ask"
    ping_interval: Annotated[float, Duration("Between two pings.", least=1)] = 25.0
    ping_timeout: Annotated[float, Duration("Until the answer to a ping has come.", least=1)] = 20.0
    max_payload: Annotated[int, Size("The largest packet or polling body that a client sends.")] = 1_000_000
    connect_timeout: Annotated[float, Duration("Until a new client has opened its first namespace.")] = 45.0


class TypingSettings(Section, frozen=True, kw_only=True):
    """Who is writing just now."""

    expire: Annotated[float, Duration("A typing signal ends by itself after this.", live=True)] = 8.0


class PresenceSettings(Section, frozen=True, kw_only=True):
    """Who is there."""

    grace: Annotated[float, Duration("A user is gone this long after the last socket closed.", live=True)] = 5.0


class EventSettings(Section, frozen=True, kw_only=True):
    """How far back a client can catch up."""

    keep_days: Annotated[int, Whole("Days for which events are kept; 0 keeps them for ever.", live=True)] = 30
    keep_count: Annotated[int, Whole("Events that are kept at most; 0 sets no number.", live=True)] = 1_000_000


class LogSettings(Section, frozen=True, kw_only=True):
    """One line an event, on standard error."""

    format: Annotated[
        Literal["text", "json"], Choice("Lines for people or for machines.", live=True, words=("text", "json"))
    ] = "text"
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Choice("The least that is worth a line.", live=True, words=("debug", "info", "warning", "error")),
    ] = "info"


class MetricsSettings(Section, frozen=True, kw_only=True):
    """Figures for Prometheus at /metrics."""

    enabled: Annotated[bool, Switch("Whether /metrics is answered.")] = True
    host: Annotated[str, ListenHost("The address of the listener of its own.")] = "127.0.0.1"
    port: Annotated[
        int,
        Whole(
            "A port of its own for /metrics, for everybody who reaches it; 0 serves it on the main port, to "
            "administrators and to services with the scope metrics.",
            most=65535,
        ),
    ] = 0


DIALECTS = {"/chat": "colon", "/notifications": "colon", "/": "pairs"}
NAMESPACE = Name(noun="a path such as /chat", pattern=r"/[A-Za-z0-9_/-]*")
DIALECT = Name("Which dialect each namespace speaks, unless the client asks for another.", noun="the name of a dialect")


class Sources(Struct, frozen=True):
    """Where a configuration came from, so that SIGHUP can read it again: the file asked for, and the flags."""

    file: str | None = None
    flags: tuple[tuple[str, str, str], ...] = ()  # (the option as typed, section.key, the text of the value)


class Config(Struct, frozen=True, kw_only=True):
    """A whole configuration, checked. `origins` says where each setting that is no default came from."""

    server: ServerSettings = ServerSettings()
    data: DataSettings = DataSettings()
    auth: AuthSettings = field(default_factory=AuthSettings)
    dialects: dict[str, str] = field(default_factory=DIALECTS.copy)
    limits: LimitSettings = LimitSettings()
    socketio: SocketIoSettings = SocketIoSettings()
    typing: TypingSettings = TypingSettings()
    presence: PresenceSettings = PresenceSettings()
    events: EventSettings = EventSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    origins: dict[str, str] = field(default_factory=dict)
    sources: Sources = Sources()


SECTIONS: dict[str, type[Section]] = {
    name: kind for name, kind in get_type_hints(Config).items() if isinstance(kind, type) and issubclass(kind, Section)
}
ROWS: dict[str, dict[str, SettingRow]] = {
    name: {key: get_args(hint)[1] for key, hint in get_type_hints(section, include_extras=True).items()}
    for name, section in SECTIONS.items()
}
