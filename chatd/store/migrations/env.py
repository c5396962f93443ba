"""Alembic's entry: runs the migrations on the connection that `chatd.store.sqlite.schema` passes."""

from alembic import context

from chatd.store.tables import metadata

given = context.config.attributes["connection"]
context.configure(connection=given, target_metadata=metadata, render_as_batch=True)
context.run_migrations()
