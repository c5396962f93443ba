"""The administration that the shell asks for: from a running server, or on its data when no server runs.

control_socket.py   the socket of a running server, and its protocol
arguments.py        the arguments of a call, checked
accounts.py         users, invites and access tokens
offline.py          the same on data that no server runs on
notifications.py    notifications and service tokens
chat.py             what `chatd chat` needs
"""
