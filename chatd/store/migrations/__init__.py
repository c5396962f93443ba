"""Alembic's folder. A migration is `versions/NNNN_what.py` with `revision = "NNNN"`; the name carries the order.

It runs in the one transaction that `schema.bring_up` has opened, with foreign keys off and checked at the end.
"""
