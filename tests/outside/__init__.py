"""The server from outside: a process of its own, and clients that share no code with it."""
