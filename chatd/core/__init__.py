"""What all connections and requests share.

app.py                everything that is shared, in one object
dispatch.py           carries out every command
command_limits.py     how often one user or address may send, create groups, add members, register
memory_services.py    commands that are answered without the store
greetings.py          the state that a client receives when it connects
authenticator.py      token → actor
accounts.py           own accounts: register, login, refresh, logout
notifier.py           notifications of messages, published behind the hot path
ticker.py             work that is done a moment later
background_tasks.py   tasks that belong to no connection
removal.py            deleted conversations, emptied in small steps
"""
