"""Everything that knows SQLite.

database.py     the store as the rest of chatd sees it
queue.py        units of work wait here, and are done on one thread
batch.py        group commit: many units, one commit
transaction.py  what a unit of work may do
reader.py       queries beside the writer
thread.py       aiosqlite's thread, made to work with Trio
schema.py       the schema and its migrations
"""
