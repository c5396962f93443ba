"""Mentions: which members the content of a message mentions.

`@name` mentions the member of that name, `@all` every member. Only owners and admins may mention all. The content stays
as it is written, and the mention is stored with the user's id: so it survives a new name. A name that no member has is
plain text, as is `@all` of a plain member.
"""

from __future__ import annotations

import re

from chatd.services.context import ServiceContext
from chatd.store.queries import conversations
from chatd.store.queries.conversations import Membership
from protocol.ids import Ref
from protocol.model import Mention

MAX_NAMES = 100  # in one message; further names are plain text
EVERYBODY = "all"
_NAME = re.compile(r"(?<![\w@])@([\w.@+-]{1,64})")
_LAST_OF_A_SENTENCE = ".-+@"  # also characters of names, so both readings are tried


def find_mentions(context: ServiceContext, membership: Membership, content: str) -> tuple[Mention, ...]:
    """Return the mentions in a text, each user once, in the order of the users; all members come first."""
    if "@" not in content:
        return ()
    texts = list(dict.fromkeys(_NAME.findall(content)))[:MAX_NAMES]
    if not texts:
        return ()
    readings = {text: dict.fromkeys((text, text.rstrip(_LAST_OF_A_SENTENCE))) for text in texts}
    names = [name for each in readings.values() for name in each if name]
    members = conversations.members_named(context.tx, membership.conversation.number, names)
    found: dict[Ref | None, Mention] = {}
    for each in readings.values():
        for name in each:
            user = members.get(name.lower())
            if user is not None or (name.lower() == EVERYBODY and _may_mention_all(membership)):
                found.setdefault(user, Mention(user, name))
                break
    return tuple(sorted(found.values(), key=lambda one: one.user.number if one.user else 0))


def _may_mention_all(membership: Membership) -> bool:
    return membership.kind == "group" and membership.role != "member"
