"""The kinds of setting with an address: origins, URLs, host names, networks, proxies."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from chatd.config.kinds import Text

ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[0-9]{1,5})?")
HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
ANY_ORIGIN = "*"
MAX_PORT = 65535


class Origin(Text, frozen=True):
    """The value of a browser's Origin header. With `any`, also "*" for every origin."""

    noun: str = "an origin such as https://chat.example.org, without a path"
    any: bool = False

    @property
    def expected(self) -> str:
        return f'{self.noun}, or "*"' if self.any else self.noun

    def parse(self, found: Any) -> Any:
        if self.any and found == ANY_ORIGIN:
            return found
        match = ORIGIN.fullmatch(super().parse(found).lower())
        if match is None or int((match[2] or ":0")[1:]) > MAX_PORT:
            raise ValueError(found)
        return found.lower()


class PublicUrl(Origin, frozen=True):
    """The address that a browser shows: an origin, with or without a trailing slash; empty for none."""

    def parse(self, found: Any) -> Any:
        return super().parse(found.removesuffix("/")) if type(found) is str and found else Text().parse(found)


class HostName(Text, frozen=True):
    """A host name, as in a Host header without its port."""

    noun: str = "a host name such as chat.local, without a port"

    def parse(self, found: Any) -> Any:
        if not HOST_NAME.fullmatch(super().parse(found).lower()):
            raise ValueError(found)
        return found.lower()


class ListenHost(Text, frozen=True):
    """The address to listen on; empty for every address."""

    noun: str = "an address such as 127.0.0.1 or ::, or a host name"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        if HOST_NAME.fullmatch(text.lower()) and not text.replace(".", "").isdigit():
            return text
        if text:
            ipaddress.ip_address(text)
        return text


class HttpUrl(Text, frozen=True):
    """A URL to fetch from; empty for none."""

    noun: str = "a URL that begins with https:// or http://"

    def parse(self, found: Any) -> Any:
        text = super().parse(found)
        parts = urlsplit(text)
        if text and (parts.scheme not in ("https", "http") or not parts.hostname or " " in text):
            raise ValueError(found)
        return text


class Network(Text, frozen=True):
    """An IP address, or a network."""

    noun: str = "an address or a network such as 10.0.0.0/8"

    def parse(self, found: Any) -> Any:
        return str(ipaddress.ip_network(super().parse(found)))


class Proxy(Network, frozen=True):
    """A proxy: an IP address, a network, or the unix socket."""

    noun: str = 'an address, a network such as 10.0.0.0/8, or "unix" for the unix socket'

    def parse(self, found: Any) -> Any:
        return found if found == "unix" else super().parse(found)
