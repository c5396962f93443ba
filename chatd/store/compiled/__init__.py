"""The SQL of every statement and table. `make sql` writes these files from chatd/store/statements and tables.

Do not edit them: tests/chatd/store/test_compiled.py compares them with what the statements give.
"""
