"""Files: who may upload and download what, and which files a message has.

A file is a draft of its owner until a message has it: an attachment whose URL is `/files/ID`, or a message of type
image or file whose content is that. From then on the members of the conversation may download it, as long as one of the
messages that have it is there.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from chatd.services.context import ServiceContext, missing
from chatd.services.pages import make_page, page_size
from chatd.store.queries import conversations, files, uploads
from protocol import commands as ask
from protocol.errors import BAD_REQUEST, CONFLICT, FORBIDDEN, PAYMENT_REQUIRED, QUOTA_EXCEEDED, Refusal
from protocol.events import FileDeleted, FileUnlocked
from protocol.ids import Key, Ref
from protocol.model import Attachment, File, Page

FILES_PATH = "/files/"
_OWN_URL = re.compile(r"/files/([1-9][0-9]{0,15})\Z")


def check_upload(context: ServiceContext, command: ask.CheckUpload) -> None:
    """Refuse an upload for which there is no room."""
    rules, more = context.rules, command.size
    used = files.usage(context.tx, context.actor.id, context.tx.now)
    for size, limit, text in (
        (used.user, rules.max_user_file_bytes, "Your files have {limit:,} bytes at most; delete some first"),
        (used.recent, rules.max_day_file_bytes, "You may upload {limit:,} bytes within 24 hours"),
        (used.all, rules.max_total_file_bytes, "The server has no room for more files"),
    ):
        if limit and size + more > limit:
            raise Refusal(QUOTA_EXCEEDED, text.format(limit=limit))


def record(context: ServiceContext, command: ask.RecordUpload) -> File:
    """Record a file whose content is stored. The quota counts again: other uploads may have ended meanwhile."""
    check_upload(context, ask.CheckUpload(size=command.size))
    made = File(
        Ref(context.tx.next_id("files"), context.tx.now // 1000),
        context.actor.id,
        command.name,
        command.type,
        command.size,
        command.digest,
        context.tx.now,
        command.width,
        command.height,
        command.locked,
        command.price,
    )
    files.add(context.tx, made)
    files.count_upload(context.tx, made.owner, made.size)
    if command.upload is not None:
        uploads.set_file(context.tx, command.upload, made.ref.number)
    return made


def get(context: ServiceContext, command: ask.GetFile) -> File:
    """A file that the caller has uploaded, or that a message of one of the caller's conversations has."""
    file = files.get(context.tx, command.file.number) if command.file.number else None
    if file is None or not command.file.matches(*file.ref[:2]):
        raise missing("File")
    if file.owner != context.actor.id and not files.is_visible(context.tx, file.ref.number, context.actor.id):
        raise missing("File")
    return file


def download(context: ServiceContext, command: ask.DownloadFile) -> File:
    """The same, and the caller may have its content."""
    file = get(context, ask.GetFile(file=command.file))
    if not file.locked or file.owner == context.actor.id:
        return file
    if not files.is_unlocked(context.tx, file.ref.number, context.actor.id):
        price = f"; it costs {file.price}" if file.price else ""
        raise Refusal(PAYMENT_REQUIRED, f"The file is locked{price}. Its owner or a payment service unlocks it")
    return file


def listing(context: ServiceContext, command: ask.ListFiles) -> Page:
    limit = page_size(context, command)
    before, after = (None if key is None else key.number for key in (command.before, command.after))
    rows = files.page(context.tx, context.actor.id, limit + 1, before=before, after=after)
    return make_page(context, command, limit, rows, ascending=False)


def delete(context: ServiceContext, command: ask.DeleteFile) -> None:
    """Delete a draft. A file that a message has goes with the message."""
    file = get(context, ask.GetFile(file=command.file))
    if file.owner != context.actor.id:
        raise missing("File")
    if files.has_message(context.tx, file.ref.number):
        raise Refusal(CONFLICT, "A message has this file: delete the message")
    _delete(context, file)


def unlock(context: ServiceContext, command: ask.UnlockFile) -> File:
    """Unlock a file for a member or for all. Repeated, it changes and publishes nothing."""
    file, conversation = _find_to_unlock(context, command)
    user = None
    if command.user is not None:
        user = context.user(command.user).ref
        if not conversations.is_member(context.tx, conversation.number, user.number):
            raise Refusal(BAD_REQUEST, "userId must be a member of the room", field="userId")
    if files.unlock(context.tx, file.ref.number, 0 if user is None else user.number):
        context.publish(FileUnlocked(file, conversation, user, context.tx.now))
    return file


def _find_to_unlock(context: ServiceContext, command: ask.UnlockFile) -> tuple[File, Ref]:
    """The file, and its conversation. Its owner, an administrator and a service with the scope may unlock it."""
    file = files.get(context.tx, command.file.number) if command.file.number else None
    found = conversations.get(context.tx, command.conversation.number) if command.conversation.number else None
    if file is None or found is None or not files.is_in(context.tx, file.ref.number, found.ref.number):
        raise missing("File")
    may_see = context.actor.admin or context.actor.scopes is not None
    if not may_see and not conversations.is_member(context.tx, found.ref.number, context.actor.id):
        raise missing("File")
    if not may_see and file.owner != context.actor.id:
        raise Refusal(FORBIDDEN, "Only the owner of the file, an administrator or a payment service may unlock it")
    return file, found.ref


# The files of messages


def find_files(context: ServiceContext, attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The attachments of a new message, with the files that their URLs name."""
    return tuple(replace(one, file=file_at(context, one.url, "attachments")) for one in attachments)


def file_at(context: ServiceContext, url: str, field: str) -> File | None:
    """The file that a URL of this server names, which the caller must be able to see."""
    match = _OWN_URL.match(url)
    if match is None:
        return None
    try:
        return get(context, ask.GetFile(file=Key(int(match[1]))))
    except Refusal:
        raise Refusal(BAD_REQUEST, f"{field}: there is no file {url}", field=field) from None


def message_deleted(context: ServiceContext, numbers: list[int]) -> None:
    """Delete the files of a deleted message that no other message has."""
    for number in numbers:
        file = files.get(context.tx, number)
        if file is not None and not files.has_message(context.tx, number):
            _delete(context, file)


def remove(context: ServiceContext, number: int) -> None:
    """Delete a file, also one that messages have. They keep its URL, where nothing is any more."""
    file = files.get(context.tx, number)
    if file is not None:
        _delete(context, file)


def _delete(context: ServiceContext, file: File) -> None:
    files.delete(context.tx, file)
    context.publish(FileDeleted(file.ref))
