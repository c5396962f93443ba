"""Every source of settings, their order of precedence, and the error line for each kind of bad value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatd.config.load import ConfigError, load, reload
from chatd.config.settings import ROWS, SECTIONS, Config

LONG = "x" * 32


def flags(*pairs: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(("--set", *pair.split("=", 1)) for pair in pairs)  # type: ignore[misc]


def from_text(tmp_path: Path, text: str, *pairs: str, **environ: str) -> Config:
    file = tmp_path / "c.toml"
    file.write_text(text, encoding="utf-8")
    return load(str(file), flags(*pairs), environ)


def error_line(tmp_path: Path, text: str = "", *pairs: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        from_text(tmp_path, text, *pairs, **environ)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"{tmp_path}/")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# ---- sources of values


def test_without_sources_the_defaults_apply() -> None:
    config = load(environ={})
    assert (config.server.host, config.server.port, config.data.directory) == ("127.0.0.1", 3000, "data")
    assert config.data.synchronous == "FULL"
    assert config.dialects == {"/chat": "colon", "/notifications": "colon", "/": "pairs", "/v1": "v1"}
    assert config.auth.user_claims == ("user_id", "userId", "id", "sub")
    assert config.origins == {}


def test_chatd_toml_in_this_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "chatd.toml").write_text("[server]\nport = 5\n")
    assert load(environ={}).server.port == 5


def test_precedence_is_flag_environment_file(tmp_path: Path) -> None:
    text = "[server]\nport = 1\nhost = '::1'\n[limits]\npage = 7\npage_default = 6\n"
    config = from_text(tmp_path, text, "server.port=3", CHATD_SERVER__PORT="2", CHATD_LIMITS__PAGE="8")
    assert (config.server.port, config.server.host, config.limits.page) == (3, "::1", 8)
    assert config.origins == {
        "server.port": "--set",
        "server.host": f"{tmp_path}/c.toml, line 3",
        "limits.page": "CHATD_LIMITS__PAGE",
        "limits.page_default": f"{tmp_path}/c.toml, line 6",
    }


def test_the_last_of_two_flags_wins(tmp_path: Path) -> None:
    assert from_text(tmp_path, "", "server.port=3", "server.port=4").server.port == 4


def test_an_overridden_value_is_checked_as_well(tmp_path: Path) -> None:
    assert error_line(tmp_path, "", "server.port=3", CHATD_SERVER__PORT="x").startswith("CHATD_SERVER__PORT: ")


def test_a_variable_can_name_a_file_with_the_value(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(LONG + "\n")
    config = from_text(tmp_path, "", CHATD_AUTH__SECRET_FILE=str(tmp_path / "s"))
    assert config.auth.secret == LONG
    assert config.origins == {"auth.secret": "CHATD_AUTH__SECRET_FILE"}


def test_a_setting_whose_name_ends_in_file_is_no_file_variable(tmp_path: Path) -> None:
    assert from_text(tmp_path, "", CHATD_AUTH__JWKS_FILE="keys.json").auth.jwks_file == "keys.json"


def test_chatd_local_toml_is_read_after_chatd_toml(tmp_path: Path) -> None:
    (tmp_path / "chatd.toml").write_text("[server]\nport = 1\nhost = '::1'\n")
    (tmp_path / "chatd.local.toml").write_text("\n[server]\nport = 2\n")
    config = load(environ={})
    assert (config.server.port, config.server.host) == (2, "::1")
    assert config.origins == {"server.port": "chatd.local.toml, line 3", "server.host": "chatd.toml, line 3"}
    given = load(str(tmp_path / "chatd.toml"), environ={})
    assert given.origins["server.port"] == f"{tmp_path}/chatd.local.toml, line 3"
    (tmp_path / "chatd.toml").unlink()
    assert load(environ={}).server.port == 2
    assert load(environ={"CHATD_SERVER__PORT": "3"}).server.port == 3
    (tmp_path / "chatd.local.toml").write_text("[server]\nprt = 2\n")
    with pytest.raises(ConfigError, match=r"^chatd\.local\.toml, line 2: server\.prt is not a setting; did you mean"):
        load(environ={})
    (tmp_path / "other.toml").touch()
    assert load("other.toml", environ={}).origins == {}


def test_common_variables_apply_where_no_other_source_has_a_value(tmp_path: Path) -> None:
    environ = {"PORT": "8080", "ALLOWED_ORIGINS": "https://a.example, https://b.example:8443"}
    config = from_text(tmp_path, "", **environ)
    assert config.server.port == 8080
    assert config.server.allowed_origins == ("https://a.example", "https://b.example:8443")
    assert config.origins == {"server.port": "PORT", "server.allowed_origins": "ALLOWED_ORIGINS"}
    assert from_text(tmp_path, "[server]\nport = 1\n", **environ).server.port == 1
    assert from_text(tmp_path, "", CHATD_SERVER__PORT="2", **environ).server.port == 2
    assert from_text(tmp_path, "", "server.port=3", **environ).server.port == 3
    assert from_text(tmp_path, "", PORT="", ALLOWED_ORIGINS="*").server.allowed_origins == ("*",)
    assert error_line(tmp_path, "", PORT="x") == 'PORT: server.port is "x"; expected a whole number from 0 to 65535'
    assert from_text(tmp_path, "", "server.port=3", PORT="tcp://x").server.port == 3


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CHATD_SERVER_PORT", "CHATD_SERVER__PORT"),
        ("CHATD_AUTH_SECRET_FILE", "CHATD_AUTH__SECRET_FILE"),
        ("CHATD_LIMITS_PAGE_DEFAULT", "CHATD_LIMITS__PAGE_DEFAULT"),
        ("CHATD_DIALECTS_CHAT", "CHATD_DIALECTS__CHAT"),
    ],
)
def test_one_underscore_is_a_mistake(tmp_path: Path, name: str, meant: str) -> None:
    assert error_line(tmp_path, "", **{name: "1"}) == f"{name}: is not a variable of chatd; did you mean {meant}?"
    assert from_text(tmp_path, "", **{name: "tcp://10.0.0.1:80"}).origins == {}  # the address of a service


def test_variables_of_other_programs_are_ignored(tmp_path: Path) -> None:
    assert from_text(tmp_path, "", CHATD_PORT="tcp://10.0.0.1:80", CHATD_SERVICE_HOST="x", CHATD_ROOT="/").origins == {}


def test_dialects_from_each_source(tmp_path: Path) -> None:
    config = from_text(tmp_path, '[dialects]\n"/x" = "colon"', "dialects./y=colon", CHATD_DIALECTS__Z="colon")
    assert set(config.dialects) == {"/", "/chat", "/notifications", "/v1", "/x", "/y", "/z"}
    assert from_text(tmp_path, "", CHATD_DIALECTS__="colon").dialects["/"] == "colon"


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("limits.message_bytes", "64KiB", 65536),
        ("limits.message_bytes", "1MB", 1_000_000),
        ("limits.message_bytes", "17", 17),
        ("limits.message_bytes", "0", 0),
        ("auth.access_ttl", "1h", 3600.0),
        ("auth.refresh_ttl", "30d", 2592000.0),
        ("presence.grace", "0.5", 0.5),
        ("presence.grace", "500ms", 0.5),
        ("limits.sends_per_user", "7.5", 7.5),
        ("limits.logins_per_account", "5/30m", 5 / 1800),
        ("limits.sends_per_user", "20/s", 20.0),
        ("metrics.enabled", "off", False),
        (
            "server.allowed_origins",
            "https://a.example, https://B.example:8443",
            ("https://a.example", "https://b.example:8443"),
        ),
        ("server.trusted_proxies", "10.0.0.0/8,::1", ("10.0.0.0/8", "::1/128")),
        ("auth.keys", f"a={LONG},b={LONG}=", {"a": LONG, "b": f"{LONG}="}),
        ("server.allowed_origins", "", ()),
        ("server.allowed_origins", "*", ("*",)),
        ("server.public_url", "HTTPS://chat.example.org/", "https://chat.example.org"),
        ("server.public_url", "", ""),
    ],
)
def test_plain_text_of_every_kind(tmp_path: Path, setting: str, text: str, value: Any) -> None:
    section, key = setting.split(".")
    config = from_text(tmp_path, "", f"{setting}={text}")
    assert getattr(getattr(config, section), key) == value


@pytest.mark.parametrize(
    ("section", "key", "row", "default"),
    [(name, key, row, getattr(SECTIONS[name](), key)) for name, rows in ROWS.items() for key, row in rows.items()],
)
def test_every_default_reads_back_as_it_is_written(
    tmp_path: Path, section: str, key: str, row: Any, default: Any
) -> None:
    config = from_text(tmp_path, f"[{section}]\n{key} = {row.write(default)}\n")
    assert getattr(getattr(config, section), key) == default
    assert len(row.about) > 5
    assert row.about.endswith(".")


# ---- error lines

FILES = [
    ("[server]\nprt = 1\n", "c.toml, line 2: server.prt is not a setting; did you mean server.port?"),
    ("[limits]\nport = 1\n", "c.toml, line 2: limits.port is not a setting; did you mean server.port?"),
    ("[sever]\nport = 1\n", "c.toml, line 1: sever is not a section; did you mean server?"),
    ("port = 1\n", "c.toml, line 1: port is not a section; expected one of server, data, auth, limits, socketio, "
     "typing, presence, events, files, s3, log, metrics (`chatd config default` lists them)"),
    ("[log]\nzzzz = 1\n", "c.toml, line 2: log.zzzz is not a setting; expected a setting of [log] "
     "(`chatd config default` lists them)"),
    ("server = 5\n", "c.toml, line 1: server is 5; expected a section, [server]"),
    ('[server]\n\nport = "80"\n', 'c.toml, line 3: server.port is "80"; expected a whole number from 0 to 65535'),
    ("server.port = 65536\n", "c.toml, line 1: server.port is 65536; expected a whole number from 0 to 65535"),
    ("[server]\nport = true\n", "c.toml, line 2: server.port is True; expected a whole number from 0 to 65535"),
    ("[server]\nport = 1.0\n", "c.toml, line 2: server.port is 1.0; expected a whole number from 0 to 65535"),
    ("[server]\nhost = 1\n", "c.toml, line 2: server.host is 1; "
     "expected an address such as 127.0.0.1 or ::, or a host name"),
    ('[server]\nhost = "a\\u001b[2J"\n', 'c.toml, line 2: server.host is "a\\x1b[2J"; '
     "expected an address such as 127.0.0.1 or ::, or a host name"),
    ('[server]\nallowed_origins = ["x"]\n', "c.toml, line 2: server.allowed_origins is ['x']; expected a list, "
     'each an origin such as https://chat.example.org, without a path, or "*"'),
    ('[server]\nhosts = ["a:1"]\n', "c.toml, line 2: server.hosts is ['a:1']; expected a list, "
     "each a host name such as chat.local, without a port"),
    ('[server]\npublic_url = "https://a.example/chat"\n', 'c.toml, line 2: server.public_url is '
     '"https://a.example/chat"; expected an origin such as https://chat.example.org, without a path'),
    ('[server]\npublic_url = "https://a.example:70000"\n', 'c.toml, line 2: server.public_url is '
     '"https://a.example:70000"; expected an origin such as https://chat.example.org, without a path'),
    ('[server]\ntrusted_proxies = ["10.0.0.1/8"]\n', "c.toml, line 2: server.trusted_proxies is ['10.0.0.1/8']; "
     "expected a list, each an address, a network such as 10.0.0.0/8, or \"unix\" for the unix socket"),
    ('[data]\nsynchronous = "OFF"\n', 'c.toml, line 2: data.synchronous is "OFF"; expected "FULL" or "NORMAL"'),
    ('[limits]\nhead_timeout = "10 x"\n', 'c.toml, line 2: limits.head_timeout is "10 x"; expected seconds or a '
     'time such as "15m" or "30d"'),
    ("[limits]\nhead_timeout = nan\n", "c.toml, line 2: limits.head_timeout is nan; expected seconds or a "
     'time such as "15m" or "30d"'),
    ("[limits]\nhead_timeout = -1\n", "c.toml, line 2: limits.head_timeout is -1; expected seconds or a "
     'time such as "15m" or "30d"'),
    ("[limits]\nmessage_bytes = 1.5\n", 'c.toml, line 2: limits.message_bytes is 1.5; expected bytes or a size such '
     'as "64KiB"'),
    ('[limits]\nsends_per_user = "5/0s"\n', 'c.toml, line 2: limits.sends_per_user is "5/0s"; expected a number per '
     'second or a rate such as "5/30m"'),
    ("[metrics]\nenabled = 1\n", "c.toml, line 2: metrics.enabled is 1; expected true or false"),
    ('[auth]\nsecret = "short"\n', "c.toml, line 2: auth.secret is (hidden); expected text of at least 32 bytes"),
    ('[auth.keys]\na = "short"\n', "c.toml, line 1: auth.keys is (hidden); expected a table, each name one line of "
     "text and each value text of at least 32 bytes"),
    ('[dialects]\n"chat" = "colon"\n', 'c.toml, line 2: "chat" is not a namespace; expected a path such as /chat'),
    ('[dialects]\n"/chat" = 5\n', "c.toml, line 2: dialects./chat is 5; expected the name of a dialect"),
    ("[server\n", "c.toml: is not TOML: Expected ']' at the end of a table declaration (at line 1, column 8)"),
    ("[server]\nport = 1\nport = 2\n", "c.toml: is not TOML: Cannot overwrite a value (at line 3, column 9)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), FILES)
def test_a_bad_file_in_one_line(tmp_path: Path, text: str, line: str) -> None:
    assert error_line(tmp_path, text) == line


@pytest.mark.parametrize(
    ("pairs", "line"),
    [
        (["server.prt=1"], "--set: server.prt is not a setting; did you mean server.port?"),
        (["port=1"], '--set: "port" is not a setting; expected SECTION.KEY=VALUE'),
        (["server.port=1_0"], '--set: server.port is "1_0"; expected a whole number from 0 to 65535'),
        (["server.port=-1"], '--set: server.port is "-1"; expected a whole number from 0 to 65535'),
        (["server.port="], '--set: server.port is ""; expected a whole number from 0 to 65535'),
        (["server.port=٣"], '--set: server.port is "٣"; expected a whole number from 0 to 65535'),
        (["metrics.enabled=maybe"], '--set: metrics.enabled is "maybe"; expected true or false'),
        (
            [f"server.host={'y' * 90}\n"],
            f'--set: server.host is "{"y" * 60}…"; expected an address such as 127.0.0.1 or ::, or a host name',
        ),
        (["server.tls_key=k"], "--set: server.tls_key is set without server.tls_certificate; expected both or none"),
        (
            ["auth.jwks_url=https://a", "auth.public_key=k.pem"],
            "--set: auth.jwks_url is set beside auth.public_key; expected one of them",
        ),
        (
            ["auth.insecure_userid=yes", "server.host=0.0.0.0"],
            '--set: auth.insecure_userid is true and server.host is "0.0.0.0"; '
            "expected a loopback address such as 127.0.0.1",
        ),
        (["limits.page=10"], "default: limits.page_default is 20; expected at most limits.page, 10"),
        (
            ["auth.algorithms=HS256,RS256"],
            "--set: auth.algorithms mixes secrets and public keys; expected some of HS256, HS384, HS512, "
            "or some of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA",
        ),
    ],
)
def test_a_bad_flag_in_one_line(tmp_path: Path, pairs: list[str], line: str) -> None:
    assert error_line(tmp_path, "", *pairs) == line


def test_a_bad_variable_in_one_line(tmp_path: Path) -> None:
    assert error_line(tmp_path, CHATD_SERVER__PRT="1") == (
        "CHATD_SERVER__PRT: server.prt is not a setting; did you mean server.port?"
    )
    assert error_line(tmp_path, CHATD_SERVER__PORT_FILE="/nowhere") == (
        'CHATD_SERVER__PORT_FILE: "/nowhere" cannot be read (No such file or directory); expected a file with the value'
    )
    assert error_line(tmp_path, CHATD_SERVER__PORT_FILE="p", CHATD_SERVER__PORT="1") == (
        "CHATD_SERVER__PORT_FILE: CHATD_SERVER__PORT is set as well; expected one of them"
    )


def test_the_error_for_an_unknown_dialect_lists_the_dialects(tmp_path: Path) -> None:
    line = error_line(tmp_path, "", "dialects./chat=klingon")
    assert line.startswith('--set: dialects."/chat" is "klingon"; expected one of ')
    assert "colon" in line
    assert "grammar" not in line


def test_a_named_file_must_exist() -> None:
    with pytest.raises(ConfigError, match=r"^no\.toml: no such file; expected a configuration"):
        load("no.toml", environ={})


def test_a_folder_and_bad_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path), environ={})
    (tmp_path / "b.toml").write_bytes(b"[server]\nhost = '\xff'")
    with pytest.raises(ConfigError, match="byte 17 is not UTF-8"):
        load(str(tmp_path / "b.toml"), environ={})


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    secret = "canary-" + LONG
    config = from_text(tmp_path, "", f"auth.secret={secret}", f"auth.keys=k={secret}")
    assert config.auth.secret == secret
    assert "canary" not in repr(config.auth)
    assert "canary" not in error_line(tmp_path, "", "auth.secret=canary")
    assert "canary" not in error_line(tmp_path, "[auth]\nkeys = {a = 'canary'}")


# ---- SIGHUP


def test_reload_applies_live_settings_and_names_the_others(tmp_path: Path) -> None:
    old = from_text(tmp_path, "[log]\nlevel = 'info'\n")
    (tmp_path / "c.toml").write_text("[log]\nlevel = 'debug'\n[server]\nport = 9\n[dialects]\n'/z' = 'colon'\n")
    new, waiting = reload(old, {})
    assert (new.log.level, new.server.port) == ("debug", 3000)
    assert waiting == ('dialects."/z"', "server.port")


def test_a_removed_namespace_needs_a_restart(tmp_path: Path) -> None:
    old = from_text(tmp_path, "[dialects]\n'/z' = 'colon'\n'/chat' = 'kebab'\n")
    (tmp_path / "c.toml").write_text("")
    assert reload(old, {})[1] == ('dialects."/chat"', 'dialects."/z"')


def test_a_bad_file_at_reload_changes_nothing(tmp_path: Path) -> None:
    old = from_text(tmp_path, "")
    (tmp_path / "c.toml").write_text("[log]\nlevel = 'loud'\n")
    with pytest.raises(ConfigError, match="loud"):
        reload(old, {})


def test_flags_apply_after_a_reload(tmp_path: Path) -> None:
    old = from_text(tmp_path, "", "log.level=error")
    (tmp_path / "c.toml").write_text("[log]\nlevel = 'debug'\n")
    assert reload(old, {})[0].log.level == "error"
