"""The rules of the chat: a service turns a command into a result and events, inside a transaction.

Each noun has one file.

table.py      each command and its service
context.py    the context of a service, and the rights that each command requires
"""
