"""The statements of each noun, in SQLAlchemy Core: what chatd/store/compiled/ is generated from by `make sql`.

Each public name is a statement, or a number that the queries need. A name that begins with `_` is a part of statements.
The server does not import this package.
"""
