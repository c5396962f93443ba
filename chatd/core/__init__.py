"""What all connections and requests share.

app.py             everything that is shared, in one object
dispatch.py        the one door for every command
authenticator.py   token → actor
accounts.py        own accounts: register, login, refresh, logout
notifier.py        notifications of messages, published behind the hot path
removal.py         deleted conversations, emptied in small steps
"""
