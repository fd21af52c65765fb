"""What Alembic runs for every command: it uses the connection, and so the transaction, of gateway/store/migrate.py."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import LargeBinary

from gateway.store import acts as _acts  # noqa: F401 - its table enters the metadata
from gateway.store import restores as _restores  # noqa: F401 - its table too
from gateway.store.decisions import tables as _decisions  # noqa: F401 - its table enters the metadata
from gateway.store.reconciliation import tables as _reconciliation  # noqa: F401 - its tables are known from then on
from gateway.store.schedule import tables as _schedule  # noqa: F401 - likewise
from gateway.store.sealed import Sealed
from gateway.store.tables import metadata
from gateway.store.webhooks import tables as _webhooks  # noqa: F401 - its tables enter the metadata


def _render(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """A revision is frozen: it names the column as the database sees it, not a class that may change."""
    if kind == "type" and isinstance(item, Sealed):
        return f"sa.{LargeBinary.__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # Alembic believes that SQLite cannot; it can, when BEGIN is ours
    render_item=_render,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
