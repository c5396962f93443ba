"""The store: one SQLite file, one writer with group commit, readers. Nothing outside this package speaks SQLite.

database.py      the door: open, submit, query, write, read
lane.py          the queues in front of the connections
batch.py         group commit, and what happens when a commit fails         (writer's thread)
reader.py        queries                                                    (readers' threads)
transaction.py   what a unit of work is given
prepared.py      SQLAlchemy statements, compiled once
footprint.py     what a statement reads and changes                         (so the writer can spare SQLite work:)
memory.py        answers that it remembers until they change
waiting.py       rows that it writes together
link.py          aiosqlite's connection, for Trio
opening.py       the file before it is served; what can be wrong with it
schema.py        created, migrated, or refused; migrations/ is Alembic's
lock.py          one process per file
faults.py        what SQLite's failures mean
tables.py        the tables; and one file of statements a noun
"""
