"""What `chatd config check` and `chatd serve` find wrong with files, folders and addresses, each in its one line."""

from __future__ import annotations

import datetime
import os
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from chatd.cli import main
from chatd.config.load import load
from chatd.net.listeners import Address, listen
from chatd.server.limits import tls_context


def write_pair(folder: Path, name: str, encryption: KeySerializationEncryption | None = None) -> None:
    """NAME.crt and NAME.key."""
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now, now)
    (folder / f"{name}.crt").write_bytes(made.sign(key, None).public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    (folder / f"{name}.key").write_bytes(pem)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_pair(tmp_path, "a")
    write_pair(tmp_path, "b")
    write_pair(tmp_path, "locked", BestAvailableEncryption(b"word"))
    (tmp_path / "text").write_text("nothing\n")


BAD = [
    ("server.tls_certificate=no.crt server.tls_key=a.key",
     'server.tls_certificate is "no.crt"; it cannot be read (No such file or directory)'),
    ("server.tls_certificate=a.crt server.tls_key=no.key",
     'server.tls_key is "no.key"; it cannot be read (No such file or directory)'),
    ("server.tls_certificate=a.crt server.tls_key=b.key",
     'server.tls_key is "b.key"; it is not the key of the certificate in a.crt'),
    ("server.tls_certificate=text server.tls_key=a.key",
     'server.tls_certificate is "text"; it holds no certificate in PEM'),
    ("server.tls_certificate=a.crt server.tls_key=text",
     'server.tls_key is "text"; it holds no private key in PEM, or one with a passphrase'),
    ("server.tls_certificate=locked.crt server.tls_key=locked.key",
     'server.tls_key is "locked.key"; it holds no private key in PEM, or one with a passphrase'),
    ("server.host=192.0.2.1", 'server.host is "192.0.2.1"; that is no address of this machine (Cannot assign requested '
     "address)"),
    ("metrics.host=192.0.2.1 metrics.port=1", 'metrics.host is "192.0.2.1"; that is no address of this machine (Cannot '
     "assign requested address)"),
    ("server.host=999.0.0.1", 'server.host is "999.0.0.1"; expected an address such as 127.0.0.1 or ::, or a '
     "host name"),
    ("server.host=http://x", 'server.host is "http://x"; expected an address such as 127.0.0.1 or ::, or a '
     "host name"),
    ("server.unix=nowhere/chatd.sock", 'server.unix is "nowhere/chatd.sock"; there is no folder {tmp}/nowhere'),
    ("data.directory=text", 'data.directory is "text"; {tmp}/text is a file; expected a folder'),
    ("data.directory=text/data", 'data.directory is "text/data"; {tmp}/text is a file; expected a folder'),
    ("auth.jwks_url=foo", 'auth.jwks_url is "foo"; expected a URL that begins with https:// or http://'),
    ("auth.jwks_url=file:///etc/passwd", 'auth.jwks_url is "file:///etc/passwd"; expected a URL that begins with '
     "https:// or http://"),
]  # fmt: skip
KEYS = [
    ("auth.jwks_file=none.json", "auth.jwks_file: 'none.json' cannot be read (No such file or directory)"),
    ("auth.jwks_file=text", 'auth.jwks_file: not a key set, expected {"keys": [...]}'),
    ("auth.public_key=none.pem", "auth.public_key: 'none.pem' cannot be read (No such file or directory)"),
    ("auth.public_key=text", "auth.public_key: not a public key in PEM (ValueError)"),
]


@pytest.mark.parametrize("verb", [["config", "check"], ["serve"]])
@pytest.mark.parametrize(("settings", "line"), [*((given, f"--set: {line}") for given, line in BAD), *KEYS])
def test_what_is_wrong_with_the_machine_is_one_line_and_nothing_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: list[str], settings: str, line: str
) -> None:
    before = sorted(tmp_path.iterdir())
    assert main([*verb, *(word for setting in settings.split() for word in ("--set", setting))]) == 2
    assert capsys.readouterr() == ("", f"chatd: {line.replace('{tmp}', str(tmp_path))}\n")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
@pytest.mark.parametrize("settings", ["server.tls_certificate=a.crt server.tls_key=a.key", "data.directory=shut/data"])
def test_what_may_not_be_read_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str) -> None:
    (tmp_path / "a.key").chmod(0)
    (tmp_path / "shut").mkdir(0o500)
    assert main(["config", "check", *(word for setting in settings.split() for word in ("--set", setting))]) == 2
    assert "Permission denied" in (said := capsys.readouterr().err) or f"may not write in {tmp_path}/shut" in said


def test_what_is_right_is_fine_and_checking_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.iterdir())
    flags = ["--set", "server.tls_certificate=a.crt", "--set", "server.tls_key=a.key", "--host", "localhost"]
    assert main(["config", "check", *flags]) == 0
    assert capsys.readouterr().out.startswith("fine: ")
    assert sorted(tmp_path.iterdir()) == before


def test_a_server_that_runs_is_not_in_the_way_of_the_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as running:
        assert main(["config", "check", "--port", str(running.getsockname()[1])]) == 0


def test_tls_is_made_one_way(tmp_path: Path) -> None:
    flags = (("--set", "server.tls_certificate", "a.crt"), ("--set", "server.tls_key", "a.key"))
    context = tls_context(load(None, flags, {}))
    assert context is not None
    assert context.minimum_version.name == "TLSv1_2"
    assert tls_context(load(None, (), {})) is None


def test_an_address_that_cannot_be_listened_on_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot listen there") as refused:
        listen(Address("192.0.2.1", 3000))
    assert refused.value.filename == "192.0.2.1:3000"
    with pytest.raises(OSError, match="cannot listen there") as refused:
        listen(Address(path=str(tmp_path / "absent" / "s")))
    assert refused.value.filename == str(tmp_path / "absent" / "s")
