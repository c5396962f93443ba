"""Alembic's folder. A migration is `versions/NNNN_what.py` with `revision = "NNNN"`; the numbers give the order.

Migrations run in the one transaction that `schema.create_or_migrate` opens. Foreign keys are off, and are checked at
the end.
"""
