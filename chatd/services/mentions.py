"""Mentions: which members the content of a message mentions.

`@name` mentions the member of that name, `@all` every member. Only owners and admins may mention all. The content stays
as it is written, and the mention is stored with the user's id: so it survives a new name. A name that no member has is
plain text, as is `@all` of a plain member.
"""

from __future__ import annotations

import re

from chatd.services.context import ServiceContext
from chatd.store.queries import conversations, users
from chatd.store.queries.conversations import Membership
from chatd.store.queries.features import ALL_MEMBERS
from protocol.ids import Ref
from protocol.model import Mention

MAX_NAMES = 100  # in one message; further names are plain text
EVERYBODY = "all"
_NAME = re.compile(r"(?<![\w@])@([\w.@+-]{1,64})")
_LAST_OF_A_SENTENCE = ".-+@"  # also characters of names, so both readings are tried


def find_mentions(context: ServiceContext, membership: Membership, content: str) -> tuple[Mention, ...]:
    """Return the mentions in a text, each user once, in the order of the users; all members come first."""
    texts = _NAME.findall(content)
    if not texts:
        return ()
    members = conversations.member_names(context.tx, membership.conversation.number)
    found: dict[int, str] = {}
    for text in texts[:MAX_NAMES]:
        name = text
        user = members.get(name.lower())
        if user is None and name[-1] in _LAST_OF_A_SENTENCE:
            name = name.rstrip(_LAST_OF_A_SENTENCE)
            user = members.get(name.lower())
        if user is None and name.lower() == EVERYBODY and _may_mention_all(membership):
            user = ALL_MEMBERS
        if user is not None:
            found.setdefault(user, name)
    return tuple(Mention(_ref(context, user), found[user]) for user in sorted(found)) if found else ()


def _ref(context: ServiceContext, user: int) -> Ref | None:
    if user == ALL_MEMBERS:
        return None
    found = users.by_id(context.tx, user)
    assert found is not None  # a member
    return found.ref


def _may_mention_all(membership: Membership) -> bool:
    return membership.kind == "group" and membership.role != "member"
