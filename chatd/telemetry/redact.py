"""A request's target as a log may show it: no token, no password, no session.

A value is masked because of its parameter's name, which is read as the server reads it (percent-decoded, in any case).
A value that looks like a token is masked in any place.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

MASK = "***"
PARAMETER = re.compile(r"(?:^|(?<=[?&;#\s\"']))([^=&;#?\s\"']+)=([^&;#\s\"']*)")
SECRET_NAME = re.compile(r"token|auth|bearer|jwt|secret|passw|pwd|credential|api_?key|signature|^sid$|^pid$|^code$")
USERINFO = re.compile(r"(?<=://)[^/?#@\s]*(?=@)")
LOOKS_LIKE_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+)*\.?")


def redact(target: str) -> str:
    """The target (path and query, or a whole URL) with every secret value masked."""
    masked = PARAMETER.sub(_parameter, target)
    return LOOKS_LIKE_TOKEN.sub(MASK, USERINFO.sub(MASK, masked))


def _parameter(found: re.Match[str]) -> str:
    name = unquote_plus(found[1])
    return f"{found[1]}={MASK}" if SECRET_NAME.search(name.lower()) else found[0]
