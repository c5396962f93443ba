"""Tests from outside: the server is a process of its own, and the clients share no code with it."""
