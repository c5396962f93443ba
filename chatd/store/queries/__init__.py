"""The SQL statements of each noun, as functions of a transaction.

users              users and their accounts
accounts           login sessions (refresh tokens), names, passwords and known places
invites            invites to make an account
conversations      conversations and their members
messages           messages, attachments and cursors
read_states        unread counts, derived from the cursors
notifications      notifications of one user
broadcasts         notifications of all users
view_intervals     the messages of which a member is notified
sessions           sessions of connections, and the rooms that they joined
removals           deleted conversations whose content is removed in steps
event_log          the events in commit order
service_tokens     tokens of services
"""
