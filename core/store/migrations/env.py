"""How Alembic reaches the database: always over the connection that the store hands in."""

from alembic import context
from sqlmodel import SQLModel

from core.store import tables  # noqa: F401  (fills SQLModel.metadata, which autogenerate compares)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
