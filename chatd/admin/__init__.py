"""What the shell asks of a running server, over its control socket, or of the data itself when no server runs.

control_socket.py   the socket and its protocol
arguments.py        the arguments of a call, checked
accounts.py         users, invites and access tokens
notifications.py    notifications and the tokens of services
chat.py             what `chatd chat` needs
"""
