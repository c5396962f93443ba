"""What is kept in memory about connected users. All of it is synchronous and needs no lock.

broker.py          rooms → subscribers → bytes
encoder.py         an event is encoded once for each kind of client
online_users.py    who is connected, and what each user has not read
presence.py        who is online
typing.py          who is typing
viewers.py         who views which conversation
event_waiters.py   long polls that wait for events
"""
