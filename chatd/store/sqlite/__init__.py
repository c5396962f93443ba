"""Everything that knows SQLite.

database.py            the store as the rest of chatd sees it: open, submit, query, write, read
queue.py               the queues of units before the writer and the readers
batch.py               group commit: many units, one commit; what happens when a commit fails  (writer's thread)
reader.py              queries beside the writer                                               (readers' threads)
transaction.py         what a unit of work may do
statement_effects.py   what a statement reads and changes; two parts of the writer need this:
query_cache.py           results that are kept until what they were read from changes
insert_buffer.py         rows that are written together
sequences.py           the last number of each noun
thread.py              aiosqlite's thread, made to work with Trio
gil_yield.py           gives the threads their turn when the Trio loop is saturated
open.py                checks and prepares the file before it is served
schema.py              creates or migrates the schema, or refuses the file
lock.py                one process per file
faults.py              what SQLite's errors mean
probe.py               a write that shows whether the database can be written to
maintenance.py         checks and copies a file from outside the server
"""
