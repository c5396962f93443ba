"""The rules of the chat: a command becomes a result and events, inside a transaction. One file a noun.

table.py      every command and its service
context.py    what a service works with, and who may do what
"""
