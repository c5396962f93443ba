"""The table of all settings: one row for each.

The classes below are the sections. Each field is a setting, with its type and default. The annotation has the row: how
the value is written, what it means, and whether SIGHUP may change it. chatd.toml, docs/settings.md and the output of
`chatd config` are printed from this table. chatd/config/load.py fills it from files, environment and flags.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args, get_type_hints

from msgspec import Struct, field

from chatd.config.addresses import HostName, HttpUrl, ListenHost, Origin, Proxy, PublicUrl
from chatd.config.file_settings import BucketSettings, FileSettings
from chatd.config.kinds import (
    Choice,
    ListSetting,
    Mode,
    Name,
    NamedValues,
    Pem,
    Secret,
    SecretText,
    SettingRow,
    Switch,
    Text,
)
from chatd.config.quantities import Duration, RateSetting, Share, Size, WholeNumber
from chatd.config.section import DAY, KIB, MIB, MINUTE, Section

SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
PUBLIC_KEY_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class ServerSettings(Section, frozen=True, kw_only=True):
    """The addresses that chatd listens on, and the sites and proxies that it trusts."""

    host: Annotated[str, ListenHost("The address to listen on. `::` is every address, IPv6 and IPv4.")] = "127.0.0.1"
    port: Annotated[
        int, WholeNumber("The port to listen on. 0 selects a free port; chatd prints it.", maximum=65535)
    ] = 3000
    unix: Annotated[
        str,
        Text(
            "The path of a unix socket to listen on as well; empty for none. It serves plain HTTP, even with TLS on.",
            noun="a path",
        ),
    ] = ""
    unix_mode: Annotated[
        str, Mode("The mode of the unix socket: 0660 admits the user and group of chatd, 0666 every local user.")
    ] = "0660"
    tls_certificate: Annotated[
        str, Text("A PEM file with the TLS certificate and its chain; empty for no TLS.", noun="a path")
    ] = ""
    tls_key: Annotated[str, Text("The PEM file with the private key of the certificate.", noun="a path")] = ""
    public_url: Annotated[
        str,
        PublicUrl(
            "The address of this server for browsers, such as https://chat.example.org. When set, it is the only one.",
            live=True,
        ),
    ] = ""
    hosts: Annotated[
        tuple[str, ...],
        ListSetting(
            "Host names that browsers may use for this server while public_url is empty. localhost, IP addresses and "
            "the name of the machine are always accepted.",
            live=True,
            each=HostName(),
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        ListSetting(
            'Other sites whose pages may use this server, compared exactly. "*" is every site, without credentials.',
            live=True,
            each=Origin(any=True),
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        ListSetting(
            'Proxies whose X-Forwarded-For and X-Forwarded-Proto chatd trusts. "unix" is a proxy on the unix socket.',
            live=True,
            each=Proxy(),
        ),
    ] = ()
    stop_timeout: Annotated[
        float, Duration("How long chatd waits at a stop for clients to receive their unsent data.", maximum=9)
    ] = 5.0


class DataSettings(Section, frozen=True, kw_only=True):
    """The folder with all data, and how the database writes it."""

    directory: Annotated[str, Text("The folder with the database, the secret and the files.", noun="a path")] = "data"
    synchronous: Annotated[
        Literal["FULL", "NORMAL"],
        Choice(
            "FULL syncs to disk before each acknowledgement. NORMAL can lose the last messages in a power failure.",
            words=("FULL", "NORMAL"),
        ),
    ] = "FULL"
    readers: Annotated[
        int, WholeNumber("Database connections for reads. One more connection writes.", minimum=1, maximum=16)
    ] = 2
    batch: Annotated[int, WholeNumber("The most units of work in one commit.", minimum=1, maximum=4096)] = 256
    busy_timeout: Annotated[
        float, Duration("How long to wait while another program locks the database.", maximum=5)
    ] = 4.0


class AuthSettings(Section, frozen=True, kw_only=True):
    """The tokens that chatd accepts, and who may register an account."""

    secret: Annotated[
        Secret,
        SecretText(
            "The secret for HS256 tokens. Empty uses the secret that chatd generated in its data directory.",
            minimum_bytes=32,
        ),
    ] = Secret("")
    keys: Annotated[
        dict[str, Secret],
        NamedValues(
            "More keys, by the `kid` in a token: secrets, or PEM public keys.",
            each=SecretText(minimum_bytes=32),
        ),
    ] = field(default_factory=dict)
    algorithms: Annotated[
        tuple[str, ...],
        ListSetting(
            "The signature algorithms to accept; empty for HS256 (secrets), or RS256, ES256 and EdDSA (public keys).",
            each=Choice(words=SECRET_ALGORITHMS + PUBLIC_KEY_ALGORITHMS),
        ),
    ] = ()
    public_key: Annotated[str, Pem("The PEM public key of the token issuer, or the path of its file.")] = ""
    jwks_file: Annotated[
        str, Text("A file with the public keys of the issuer, as a JSON Web Key Set (JWKS).", noun="a path")
    ] = ""
    jwks_url: Annotated[
        str, HttpUrl("The URL of the issuer's JSON Web Key Set. chatd fetches it in the background.")
    ] = ""
    jwks_refresh: Annotated[float, Duration("How often chatd fetches the key set again.", minimum=10)] = 5 * MINUTE
    issuer: Annotated[str, Text("The `iss` claim that a token must have; empty accepts any.")] = ""
    audience: Annotated[str, Text("The `aud` claim that a token must have; empty accepts any.")] = ""
    leeway: Annotated[
        float,
        Duration(
            "How far the clock of the issuer may be ahead. It applies to `nbf` and `iat`, not to `exp`.", maximum=300
        ),
    ] = 5.0
    user_claims: Annotated[
        tuple[str, ...], ListSetting("The claims that may hold the user's id. The first one that a token has is used.")
    ] = ("user_id", "userId", "id", "sub")
    provision: Annotated[
        Literal["auto", "on", "off"],
        Choice(
            "Whether a token of an unknown user creates the account. auto means on when you configure a key or secret.",
            words=("auto", "on", "off"),
        ),
    ] = "auto"
    registration: Annotated[
        Literal["closed", "invite", "open"],
        Choice(
            "Who may register: no one, people with an invite (`chatd invite`), or everyone who can reach the server.",
            live=True,
            words=("closed", "invite", "open"),
        ),
    ] = "invite"
    access_ttl: Annotated[float, Duration("How long an access token is valid.", live=True, minimum=1)] = 15 * MINUTE
    refresh_ttl: Annotated[float, Duration("How long a refresh token is valid.", live=True, minimum=1)] = 30 * DAY
    insecure_userid: Annotated[
        bool, Switch("Accept `?userId=` without a token. Only for examples on loopback: any client can be any user.")
    ] = False


class LimitSettings(Section, frozen=True, kw_only=True):
    """Limits for clients. 0 turns a limit off. Rates are per second; each has a burst, the number allowed at once."""

    message_bytes: Annotated[int, Size("The largest WebSocket message from a client.", live=True)] = 64 * KIB
    message_fragments: Annotated[int, WholeNumber("The most fragments in one WebSocket message.", live=True)] = 1024
    json_depth: Annotated[int, WholeNumber("The deepest nesting of JSON.", live=True)] = 32
    json_values: Annotated[int, WholeNumber("The most values in the JSON of one message or body.", live=True)] = 5000
    outbox_bytes: Annotated[
        int, Size("Unsent data for one slow connection; above it the connection is closed.", live=True)
    ] = MIB
    body_bytes: Annotated[int, Size("The largest body of a REST request.", live=True)] = MIB
    first_body_bytes: Annotated[int, Size("The largest body of a request without a valid token.", live=True)] = 8 * KIB
    head_bytes: Annotated[int, Size("The largest head of a request.", live=True)] = 16 * KIB
    head_timeout: Annotated[float, Duration("The time for a complete request head.", live=True)] = 10.0
    tls_timeout: Annotated[float, Duration("The time for the TLS handshake.", live=True)] = 10.0
    auth_timeout: Annotated[float, Duration("The time for a new socket to send its token.", live=True)] = 10.0
    idle_timeout: Annotated[
        float, Duration("How long an HTTP connection may stay open without a request.", live=True)
    ] = 30.0
    ping_interval: Annotated[float, Duration("The time between two pings on a WebSocket.", live=True)] = 25.0
    ping_timeout: Annotated[float, Duration("The time for the pong to a ping.", live=True)] = 20.0
    calls_per_connection: Annotated[float, RateSetting("Calls on one connection.", live=True)] = 50.0
    calls_per_connection_burst: Annotated[int, WholeNumber("Calls at once on one connection.", live=True)] = 100
    control_frames_per_connection: Annotated[
        float, RateSetting("Pings, pongs and empty fragments on one WebSocket; above it, close code 4029.", live=True)
    ] = 50.0
    control_frames_per_connection_burst: Annotated[
        int, WholeNumber("Control frames at once on one WebSocket.", live=True)
    ] = 100
    typing_per_connection: Annotated[float, RateSetting("Typing signals on one connection.", live=True)] = 5.0
    typing_per_connection_burst: Annotated[int, WholeNumber("Typing signals at once.", live=True)] = 5
    sends_per_user: Annotated[float, RateSetting("Messages sent, edited and deleted by one user.", live=True)] = 20.0
    sends_per_user_burst: Annotated[int, WholeNumber("Messages at once by one user.", live=True)] = 60
    groups_per_user: Annotated[float, RateSetting("Groups that one user creates.", live=True)] = 30 / 3600
    groups_per_user_burst: Annotated[int, WholeNumber("Groups at once by one user.", live=True)] = 30
    additions_per_user: Annotated[float, RateSetting("Members that one user adds to conversations.", live=True)] = (
        1000 / 3600
    )
    additions_per_user_burst: Annotated[int, WholeNumber("Members added at once by one user.", live=True)] = 1000
    rest_per_user: Annotated[
        float, RateSetting("REST requests of one user, or of one address without a token.", live=True)
    ] = 50.0
    rest_per_user_burst: Annotated[int, WholeNumber("REST requests at once.", live=True)] = 100
    anonymous_per_address: Annotated[
        float, RateSetting("Requests from one address before their token is known to be valid.", live=True)
    ] = 50.0
    anonymous_per_address_burst: Annotated[int, WholeNumber("Such requests at once from one address.", live=True)] = 100
    page_files_per_address: Annotated[
        float, RateSetting("Files of the page that one address loads; a first visit loads about a hundred.", live=True)
    ] = 200.0
    page_files_per_address_burst: Annotated[int, WholeNumber("Such files at once from one address.", live=True)] = 500
    logins_per_account: Annotated[float, RateSetting("Failed logins to one account.", live=True)] = 5 / 1800
    logins_per_account_burst: Annotated[int, WholeNumber("Failed logins at once to one account.", live=True)] = 5
    logins_per_address: Annotated[float, RateSetting("Failed logins from one address.", live=True)] = 30 / 1800
    logins_per_address_burst: Annotated[int, WholeNumber("Failed logins at once from one address.", live=True)] = 30
    registrations_per_address: Annotated[
        float,
        RateSetting(
            "Attempts to register from one address (IPv6: one /64), and to change one user's password.", live=True
        ),
    ] = 5 / 3600
    registrations_per_address_burst: Annotated[int, WholeNumber("Such attempts at once.", live=True)] = 5
    renewals_per_address: Annotated[float, RateSetting("Refreshes and logouts from one address.", live=True)] = 5.0
    renewals_per_address_burst: Annotated[int, WholeNumber("Refreshes and logouts at once.", live=True)] = 100
    refusals: Annotated[
        int, WholeNumber("This many RATE_LIMITED answers within 10 s close the connection.", live=True)
    ] = 3
    connections_per_address: Annotated[int, WholeNumber("The most connections from one address.", live=True)] = 200
    connections_share: Annotated[
        float,
        Share("The most connections in total, as a share of the file descriptors that chatd may open.", live=True),
    ] = 0.9
    text_characters: Annotated[int, WholeNumber("The most characters in a message.", live=True)] = 10000
    attachments: Annotated[int, WholeNumber("The most attachments of a message.", live=True)] = 10
    reactions: Annotated[int, WholeNumber("The most kinds of reactions to a message.", live=True)] = 50
    members: Annotated[int, WholeNumber("The most members of a conversation.", live=True)] = 1000
    rooms_per_socket: Annotated[int, WholeNumber("The most conversations that one socket may join.", live=True)] = 1000
    page_default: Annotated[int, WholeNumber("Rows of a list when the request has no limit.", live=True, minimum=1)] = (
        20
    )
    page: Annotated[int, WholeNumber("The most rows of a list that a request may ask for.", live=True)] = 200
    page_bytes: Annotated[
        int,
        Size("The most bytes in a page of a list. A larger page is cut, and has a link to the rest.", live=True),
    ] = MIB
    unsent_per_user: Annotated[
        int, Size("Unsent bytes of REST answers for one user who does not read them; above it, HTTP 503.", live=True)
    ] = 16 * MIB
    replay_batch: Annotated[
        int, WholeNumber("Events read from the database at once for a client that catches up.", live=True)
    ] = 500


class SocketIoSettings(Section, frozen=True, kw_only=True):
    """The settings of Socket.IO connections."""

    recovery: Annotated[
        Literal["ask", "always", "never"],
        Choice(
            "Which clients receive their missed events after a reconnect: those that ask, all, or none.",
            words=("ask", "always", "never"),
        ),
    ] = "ask"
    ping_interval: Annotated[float, Duration("The time between two pings.", minimum=1)] = 25.0
    ping_timeout: Annotated[float, Duration("The time for the answer to a ping.", minimum=1)] = 20.0
    max_payload: Annotated[int, Size("The largest packet or polling body from a client.")] = 1_000_000
    connect_timeout: Annotated[float, Duration("The time for a new client to open its first namespace.")] = 45.0


class TypingSettings(Section, frozen=True, kw_only=True):
    """Typing signals."""

    expire: Annotated[float, Duration("How long a typing signal lasts without another one.", live=True)] = 8.0


class PresenceSettings(Section, frozen=True, kw_only=True):
    """Which users are online."""

    grace: Annotated[float, Duration("How long after the last socket closes a user becomes offline.", live=True)] = 5.0


class EventSettings(Section, frozen=True, kw_only=True):
    """How long chatd keeps events for clients that catch up."""

    keep_days: Annotated[int, WholeNumber("Days for which events are kept; 0 means without end.", live=True)] = 30
    keep_count: Annotated[int, WholeNumber("The most events that are kept; 0 means no limit.", live=True)] = 1_000_000


class LogSettings(Section, frozen=True, kw_only=True):
    """The log on standard error, one line for each event."""

    format: Annotated[
        Literal["text", "json"], Choice("text for people, json for programs.", live=True, words=("text", "json"))
    ] = "text"
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Choice("The lowest level that is logged.", live=True, words=("debug", "info", "warning", "error")),
    ] = "info"


class MetricsSettings(Section, frozen=True, kw_only=True):
    """Metrics for Prometheus at /metrics."""

    enabled: Annotated[bool, Switch("Whether chatd serves /metrics.")] = True
    host: Annotated[str, ListenHost("The address of the separate listener.")] = "127.0.0.1"
    port: Annotated[
        int,
        WholeNumber(
            "A separate port for /metrics, open to every client that can reach it. 0 serves /metrics on the main port "
            "to administrators, and to services with the scope metrics.",
            maximum=65535,
        ),
    ] = 0


DEFAULT_DIALECTS = {"/chat": "colon", "/notifications": "colon", "/": "pairs", "/v1": "v1"}
NAMESPACE_ROW = Name(noun="a path such as /chat", pattern=r"/[A-Za-z0-9_/-]*")
DIALECT_ROW = Name("The dialect of each namespace, unless the client asks for another.", noun="the name of a dialect")


class Sources(Struct, frozen=True):
    """The sources of a configuration, which SIGHUP reads again: the file and the flags."""

    file: str | None = None
    flags: tuple[tuple[str, str, str], ...] = ()  # (the option as typed, section.key, the text of the value)


class Config(Struct, frozen=True, kw_only=True):
    """A whole, checked configuration. `origins` has the source of each setting that some source sets."""

    server: ServerSettings = ServerSettings()
    data: DataSettings = DataSettings()
    auth: AuthSettings = field(default_factory=AuthSettings)
    dialects: dict[str, str] = field(default_factory=DEFAULT_DIALECTS.copy)
    limits: LimitSettings = LimitSettings()
    socketio: SocketIoSettings = SocketIoSettings()
    typing: TypingSettings = TypingSettings()
    presence: PresenceSettings = PresenceSettings()
    events: EventSettings = EventSettings()
    files: FileSettings = FileSettings()
    s3: BucketSettings = BucketSettings()
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
