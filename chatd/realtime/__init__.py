"""What is kept in memory about connected users. All of it is synchronous and needs no lock.

event_bus.py       which parts of the server follow from which events
broker.py          rooms → subscribers → bytes
flusher.py         sends what waits, at the end of each round of the loop
encoder.py         an event is encoded once for each kind of client
room_access.py     members enter and leave the rooms of conversations
online_users.py    who is connected, and what each user has not read
presence.py        who is online
unread_counts.py   which users receive their unread counts, and when
typing.py          who is typing
viewers.py         who views which conversation
event_waiters.py   long polls that wait for events
"""
