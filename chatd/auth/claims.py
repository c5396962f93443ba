"""What a token says once its signature holds: read strictly, so that nothing odd gets further than here.

    claim                               read as                      else
    exp                                 a number, in the future      refused; required
    nbf, iat                            numbers, not in the future   refused (with leeway; own tokens: any)
    typ, type, token_use                not of a refresh token       refused
    the first user claim that is there  an id, or a subject          refused
    iss, aud                            as the rules demand          refused
    name, email, jti, sid               text                         passed over (sid: of own tokens only)

The user: a positive integer is the user id itself, and so is its decimal text, since JWT libraries demand that `sub`
be text. Digits beyond 2^53-1 stay a subject (Google's have 21), like a UUID or any other text of 1 to 255 characters.
Text that is nearly a number ("0", "-7") is refused: it is somebody's mistake, not somebody's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from protocol.errors import AUTH_INVALID, Refusal

MAX_USER_ID = 2**53 - 1
MAX_SUBJECT_CHARS = 255
MAX_EMAIL_CHARS = 254
MAX_TIMESTAMP_SECONDS = 253_402_300_799  # of the year 9999
OWN_ISSUER = "chatd"

DECIMAL_PATTERN = re.compile(r"[1-9][0-9]{0,15}")
NEARLY_NUMBER_PATTERN = re.compile(r"-[0-9]+|0+")
UNPRINTABLE_PATTERN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
REFRESH_PATTERN = re.compile(r"refresh|offline", re.IGNORECASE)
ACCESS_TYPES = frozenset(("jwt", "at+jwt", "application/jwt", "application/at+jwt"))
KIND_CLAIMS = ("typ", "type", "token_use")
NAME_CLAIMS = ("name", "preferred_username", "username")


class ClaimRules(Struct, frozen=True):
    """What a foreign token must say. Empty takes any; `leeway` is for `nbf` and `iat` only, never for `exp`."""

    user_claims: tuple[str, ...] = ("user_id", "userId", "id", "sub")
    issuer: str = ""
    audience: str = ""
    leeway_seconds: float = 5.0


class Claims(Struct, frozen=True):
    """Who holds a token, and until when. `foreign`: somebody else than this server issued it.

    `own_key`: it is signed with this server's own key, which no other issuer has. `sid` names the session of an own
    account that the token was given out for.
    """

    subject: int | str
    expires: float
    admin: bool = False
    foreign: bool = True
    name: str | None = None
    email: str | None = None
    issued: float | None = None
    token_id: str | None = None
    kid: str | None = None
    own_key: bool = False
    sid: str | None = None


def check_header(header: Mapping[str, Any]) -> tuple[str, str | None]:
    """The algorithm and the kid of a header that asks for nothing unusual."""
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or not isinstance(kind, str):
        raise Refusal(AUTH_INVALID, "The token's header is malformed")
    if REFRESH_PATTERN.search(kind):
        raise Refusal(AUTH_INVALID, "That is a refresh token; an access token is needed")
    if kind.lower() not in ACCESS_TYPES or "crit" in header or "b64" in header:
        raise Refusal(AUTH_INVALID, "The token is of a kind that is not taken here")
    return algorithm, kid


def read_claims(payload: Mapping[str, Any], rules: ClaimRules, now: float, *, kid: str | None, own_key: bool) -> Claims:
    """Check a payload whose signature holds."""
    own = own_key and payload.get("iss") == OWN_ISSUER
    expires = check_times(payload, now, math.inf if own else rules.leeway_seconds)  # nobody need doubt the own clock
    if any(REFRESH_PATTERN.search(str(payload.get(claim, ""))) for claim in KIND_CLAIMS):
        raise Refusal(AUTH_INVALID, "That is a refresh token; an access token is needed")
    if not own:
        check_issuer_and_audience(payload, rules)
    return Claims(
        subject=read_subject(payload, ("sub",) if own else rules.user_claims),
        expires=expires,
        admin=is_admin(payload),
        foreign=not own,
        name=next((name for claim in NAME_CLAIMS if (name := printable_text(payload.get(claim)))), None),
        email=read_email(payload),
        issued=read_seconds(payload, "iat"),
        token_id=printable_text(payload.get("jti")),
        kid=kid,
        own_key=own_key,
        sid=printable_text(payload.get("sid")) if own else None,
    )


def read_seconds(payload: Mapping[str, Any], claim: str) -> float | None:
    """A NumericDate; None when it is not there."""
    if claim not in payload:
        return None
    value = payload[claim]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(AUTH_INVALID, f"The token's {claim} must be a number of seconds")
    if not 0 <= value <= MAX_TIMESTAMP_SECONDS:  # NaN is not either
        raise Refusal(AUTH_INVALID, f"The token's {claim} is out of range; it counts seconds, not milliseconds")
    return float(value)


def check_times(payload: Mapping[str, Any], now: float, leeway: float) -> float:
    """When the token expires, if it is valid now."""
    expires = read_seconds(payload, "exp")
    if expires is None:
        raise Refusal(AUTH_INVALID, "The token has no exp")
    check_expiry(expires, now)
    for claim in ("nbf", "iat"):
        since = read_seconds(payload, claim)
        if since is not None and since > now + leeway:
            raise Refusal(AUTH_INVALID, f"The token is not valid yet: its {claim} is in the future")
    return expires


def check_expiry(expires: float, now: float) -> None:
    if expires <= now:
        raise Refusal(AUTH_INVALID, "The token has expired")


def check_issuer_and_audience(payload: Mapping[str, Any], rules: ClaimRules) -> None:
    """Issued by the right one, for us."""
    if rules.issuer and payload.get("iss") != rules.issuer:
        raise Refusal(AUTH_INVALID, "The token is from another issuer")
    audience = payload.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    if rules.audience and rules.audience not in meant:
        raise Refusal(AUTH_INVALID, "The token is for another audience")


def read_subject(payload: Mapping[str, Any], user_claims: tuple[str, ...]) -> int | str:
    """The user: the first of the claims that is there at all decides, be it good or bad."""
    claim = next((claim for claim in user_claims if claim in payload), None)
    if claim is None:
        raise Refusal(AUTH_INVALID, f"The token names no user; one of {', '.join(user_claims)} is needed")
    value = payload[claim]
    if isinstance(value, str) and DECIMAL_PATTERN.fullmatch(value) and int(value) <= MAX_USER_ID:
        return int(value)
    if type(value) is int and 0 < value <= MAX_USER_ID:
        return value
    if isinstance(value, str) and _is_subject(value):
        return value
    raise Refusal(AUTH_INVALID, f"The token's {claim} is not a user: a positive integer or an identifier is needed")


def _is_subject(value: str) -> bool:
    return printable_text(value) is not None and value == value.strip() and not NEARLY_NUMBER_PATTERN.fullmatch(value)


def printable_text(value: Any) -> str | None:
    """Text that is safe to store and to show; None for anything else."""
    if isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT_CHARS and not UNPRINTABLE_PATTERN.search(value):
        return value
    return None


def is_admin(payload: Mapping[str, Any]) -> bool:
    """Exactly as documented; `"true"`, 1 and a `roles` that is text make nobody an administrator."""
    roles = payload.get("roles")
    in_roles = isinstance(roles, list) and "admin" in roles
    return payload.get("role") == "admin" or in_roles or payload.get("is_admin") is True


def read_email(payload: Mapping[str, Any]) -> str | None:
    """An address that the issuer does not itself call unverified."""
    email = printable_text(payload.get("email"))
    if email is None or "@" not in email or len(email) > MAX_EMAIL_CHARS or payload.get("email_verified") is False:
        return None
    return email
