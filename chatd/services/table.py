"""Each command and its service, which runs in one transaction.

The writer runs the services that write. It also runs the services that must have a position in the order of the
writes: a join, a leave, and a count that clients receive. A reader runs the others.

Two more tables have the same form. chatd/core/accounts.py has the services that also wait for something else: register,
login, refresh and logout. chatd/core/memory_services.py has the answers that memory can give without the store.
"""

from __future__ import annotations

from typing import NamedTuple

from chatd.services import (
    attention,
    audit,
    bans,
    blocks,
    conversations,
    devices,
    files,
    invites,
    members,
    messages,
    notifications,
    preferences,
    reactions,
    reports,
    search,
    sync,
    threads,
    typing,
    uploads,
    users,
)
from chatd.services.context import ServiceFunction
from protocol import commands as ask
from protocol.commands import Command


class ServiceRow(NamedTuple):
    """`audit` is the action under which the audit log has the command.

    A reader runs a command that is not `in_order`, also where the caller's earlier writes are in progress.
    """

    service: ServiceFunction
    writes: bool
    audit: str | None = None
    in_order: bool = True


SERVICES: dict[type[Command], ServiceRow] = {
    ask.CreateConversation: ServiceRow(conversations.create, writes=True),
    ask.ListConversations: ServiceRow(conversations.listing, writes=False),
    ask.GetConversation: ServiceRow(conversations.get, writes=False),
    ask.DeleteConversation: ServiceRow(conversations.delete, writes=True, audit="conversation.delete"),
    ask.Join: ServiceRow(conversations.join, writes=True),
    ask.Leave: ServiceRow(conversations.leave, writes=True),
    ask.SetTyping: ServiceRow(typing.set_typing, writes=False),
    ask.ListMembers: ServiceRow(members.listing, writes=False),
    ask.AddMember: ServiceRow(members.add, writes=True, audit="member.add"),
    ask.RemoveMember: ServiceRow(members.remove, writes=True, audit="member.remove"),
    ask.SendMessage: ServiceRow(messages.send, writes=True),
    ask.SendTo: ServiceRow(messages.send_to, writes=True),
    ask.EditMessage: ServiceRow(messages.edit, writes=True),
    ask.DeleteMessage: ServiceRow(messages.delete, writes=True),
    ask.GetMessage: ServiceRow(messages.get, writes=False),
    ask.ReadMessage: ServiceRow(messages.read, writes=True),
    ask.ReadConversation: ServiceRow(messages.read_all, writes=True),
    ask.ListMessages: ServiceRow(messages.listing, writes=False),
    ask.ListMessagesWith: ServiceRow(messages.listing_with, writes=True),
    ask.UpdateConversation: ServiceRow(conversations.update, writes=True, audit="conversation.update"),
    ask.LeaveConversation: ServiceRow(members.leave, writes=True),
    ask.ListPublicConversations: ServiceRow(conversations.list_public, writes=False),
    ask.JoinPublicConversation: ServiceRow(members.join_public, writes=True),
    ask.SetRole: ServiceRow(members.set_role, writes=True, audit="member.update"),
    ask.BanMember: ServiceRow(bans.ban, writes=True, audit="ban.add"),
    ask.UnbanMember: ServiceRow(bans.unban, writes=True, audit="ban.remove"),
    ask.ListBans: ServiceRow(bans.listing, writes=False),
    ask.MarkUnread: ServiceRow(messages.mark_unread, writes=True),
    ask.ForwardMessage: ServiceRow(messages.forward, writes=True),
    ask.ListThread: ServiceRow(threads.listing, writes=False),
    ask.React: ServiceRow(reactions.react, writes=True),
    ask.Unreact: ServiceRow(reactions.unreact, writes=True),
    ask.PinMessage: ServiceRow(reactions.pin, writes=True),
    ask.UnpinMessage: ServiceRow(reactions.unpin, writes=True),
    ask.ListPins: ServiceRow(reactions.list_pins, writes=False),
    ask.SetPreferences: ServiceRow(preferences.change, writes=True),
    ask.BlockUser: ServiceRow(blocks.block, writes=True),
    ask.UnblockUser: ServiceRow(blocks.unblock, writes=True),
    ask.ListBlocks: ServiceRow(blocks.listing, writes=False),
    ask.ReportMessage: ServiceRow(reports.report, writes=True),
    ask.ListReports: ServiceRow(reports.listing, writes=False),
    ask.CloseReport: ServiceRow(reports.close, writes=True),
    ask.ListAudit: ServiceRow(audit.listing, writes=False),
    ask.Sync: ServiceRow(sync.sync, writes=False),
    ask.Search: ServiceRow(search.search, writes=False, in_order=False),
    ask.GetUnread: ServiceRow(users.unread, writes=False),
    ask.ListNotifications: ServiceRow(notifications.listing, writes=True),
    ask.GetNotification: ServiceRow(notifications.get, writes=False),
    ask.ReadNotification: ServiceRow(notifications.read, writes=True),
    ask.ReadNotifications: ServiceRow(notifications.read_all, writes=True),
    ask.DeleteNotification: ServiceRow(notifications.delete, writes=True),
    ask.CountNotifications: ServiceRow(notifications.count, writes=True),
    ask.CreateNotification: ServiceRow(notifications.create, writes=True),
    ask.Broadcast: ServiceRow(notifications.broadcast, writes=True, audit="notification.broadcast"),
    ask.ListUsers: ServiceRow(users.listing, writes=False),
    ask.GetUser: ServiceRow(users.get, writes=False),
    ask.GetMe: ServiceRow(users.get_me, writes=False),
    ask.UpdateMe: ServiceRow(users.update_me, writes=True),
    ask.BeginUpload: ServiceRow(uploads.begin, writes=True),
    ask.GetUpload: ServiceRow(uploads.get, writes=False),
    ask.BeginCheckedPiece: ServiceRow(uploads.begin_checked_piece, writes=True),
    ask.EndUpload: ServiceRow(uploads.end, writes=True),
    ask.CheckUpload: ServiceRow(files.check_upload, writes=False),
    ask.RecordUpload: ServiceRow(files.record, writes=True),
    ask.SendFile: ServiceRow(messages.send_file, writes=True),
    ask.UnlockFile: ServiceRow(files.unlock, writes=True),
    ask.GetFile: ServiceRow(files.get, writes=False),
    ask.DownloadFile: ServiceRow(files.download, writes=False),
    ask.ListFiles: ServiceRow(files.listing, writes=False),
    ask.DeleteFile: ServiceRow(files.delete, writes=True),
    ask.GetAttention: ServiceRow(attention.get, writes=False),
    ask.SetAttention: ServiceRow(attention.change, writes=True),
    ask.SetThreadLevel: ServiceRow(threads.set_level, writes=True),
    ask.ListThreadLevels: ServiceRow(threads.levels, writes=False),
    ask.ListDevices: ServiceRow(devices.listing, writes=False),
    ask.EndDevice: ServiceRow(devices.end, writes=True),
    ask.EndOtherDevices: ServiceRow(devices.end_others, writes=True),
    ask.CreateInvite: ServiceRow(invites.create, writes=True, audit="invite.create"),
    ask.ListInvites: ServiceRow(invites.listing, writes=False),
    ask.RevokeInvite: ServiceRow(invites.revoke_by_id, writes=True, audit="invite.revoke"),
}


def writes(kind: type[Command]) -> bool:
    """Return whether the writer runs commands of that kind."""
    row = SERVICES.get(kind)
    return row is not None and row.writes
