"""The store: one database, one writer with group commit, readers. Only this package uses SQL.

tables/                the tables and what their columns mean
dialect_functions.py   SQL that each kind of database spells in its own way
statements/            every statement, in SQLAlchemy's words, one file a noun
compiler.py            makes SQL of tables and statements; `make sql` runs it
compiled/              the SQL that it made; only this is imported by a server, so SQLAlchemy is not
prepared.py, schema.py   what compiled/ consists of
queries/               the statements of each noun, one file a noun, as functions of a transaction
migrations/            the steps from one schema version to the next, run by Alembic
sqlite/                the engine: everything that knows SQLite (its `__init__.py` has the map)

A *unit* of work is a function of a transaction. Services pass units to the database; units call the queries:

    service ─→ database.submit(unit) ─→ unit(transaction) ─→ queries/messages.add(transaction, …) ─→ transaction.run(…)

A second engine stands beside `sqlite/`. It has a `Transaction` with the same methods and a `Database` with the same
`submit`, `query`, `write` and `read`; the tables, the queries and the services stay as they are.
"""
