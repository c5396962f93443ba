"""Alembic's entry: runs the migrations on the connection that `chatd.store.sqlite.schema` passes."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], target_metadata=given["metadata"], render_as_batch=True)
context.run_migrations()
