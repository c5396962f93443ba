"""Claims: a strict reader for the payload of a token with a valid signature. No invalid value leaves this module.

    claim                               accepted                     otherwise
    exp                                 a number, in the future      rejected; required
    nbf, iat                            numbers, not in the future   rejected (with leeway; own tokens: any time)
    typ, type, token_use                not of a refresh token       rejected
    the first present user claim        an id, or a subject          rejected
    iss, aud                            as the rules require         rejected
    name, email, jti, sid               text                         ignored (sid: read from own tokens only)

The user: a positive integer is the user id. Its decimal text is the user id too, because JWT libraries require a text
in `sub`. A number above 2^53-1 is a subject (Google's subjects have 21 digits). A UUID and any other text of 1 to 255
characters are subjects too. A text that is nearly a number ("0", "-7") is rejected: it is a mistake of the issuer.
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
    """The claims that a foreign token must have. An empty issuer or audience accepts any.

    The leeway is for `nbf` and `iat` only, not for `exp`.
    """

    user_claims: tuple[str, ...] = ("user_id", "userId", "id", "sub")
    issuer: str = ""
    audience: str = ""
    leeway_seconds: float = 5.0


class Claims(Struct, frozen=True):
    """The user of a verified token, and its expiry. `foreign`: another issuer issued the token.

    `own_key`: the key of the signature is this server's own key, which no other issuer has. `sid` names the session of
    a local account for which this server issued the token.
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
    """Check a header. Return its algorithm and its kid. Unknown critical features are rejected."""
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or not isinstance(kind, str):
        raise Refusal(AUTH_INVALID, "The token's header is malformed")
    if REFRESH_PATTERN.search(kind):
        raise Refusal(AUTH_INVALID, "That is a refresh token; an access token is needed")
    if kind.lower() not in ACCESS_TYPES or "crit" in header or "b64" in header:
        raise Refusal(AUTH_INVALID, "The token is of a type that is not accepted here")
    return algorithm, kid


def read_claims(payload: Mapping[str, Any], rules: ClaimRules, now: float, *, kid: str | None, own_key: bool) -> Claims:
    """Check the payload of a token with a valid signature."""
    own = own_key and payload.get("iss") == OWN_ISSUER
    expires = check_times(payload, now, math.inf if own else rules.leeway_seconds)  # the own clock is trusted
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
    """Read a NumericDate; None if the claim is absent."""
    if claim not in payload:
        return None
    value = payload[claim]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(AUTH_INVALID, f"The token's {claim} must be a number of seconds")
    if not 0 <= value <= MAX_TIMESTAMP_SECONDS:  # NaN fails too
        raise Refusal(AUTH_INVALID, f"The token's {claim} is out of range; it counts seconds, not milliseconds")
    return float(value)


def check_times(payload: Mapping[str, Any], now: float, leeway: float) -> float:
    """Check that the token is valid now. Return its expiry."""
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
    """Check the issuer and the audience, if the rules have them."""
    if rules.issuer and payload.get("iss") != rules.issuer:
        raise Refusal(AUTH_INVALID, "The token is from another issuer")
    audience = payload.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if rules.audience and rules.audience not in audiences:
        raise Refusal(AUTH_INVALID, "The token is for another audience")


def read_subject(payload: Mapping[str, Any], user_claims: tuple[str, ...]) -> int | str:
    """Read the user from the first claim that is present. If its value is invalid, the token is rejected."""
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
    """Return a text that is safe to store and to show; None for any other value."""
    if isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT_CHARS and not UNPRINTABLE_PATTERN.search(value):
        return value
    return None


def is_admin(payload: Mapping[str, Any]) -> bool:
    """Return whether the token is an administrator's, exactly as documented.

    `"true"`, 1 and a `roles` that is a text do not make an administrator.
    """
    roles = payload.get("roles")
    in_roles = isinstance(roles, list) and "admin" in roles
    return payload.get("role") == "admin" or in_roles or payload.get("is_admin") is True


def read_email(payload: Mapping[str, Any]) -> str | None:
    """Read the email address; None if the issuer marks it as unverified."""
    email = printable_text(payload.get("email"))
    if email is None or "@" not in email or len(email) > MAX_EMAIL_CHARS or payload.get("email_verified") is False:
        return None
    return email
