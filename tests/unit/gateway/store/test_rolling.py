"""Nodes of two versions beside each other: the older code works on the next schema, and on none after it."""

import ast
import shutil

import pytest

from gateway.security.principals import Kind
from gateway.store import migrate
from gateway.store.clock import Clock
from gateway.store.engine import StoreError, open_store
from gateway.store.jobs import intend
from gateway.store.principals import add_principal
from gateway.store.requests import accept
from gateway.store.settlements import settle
from gateway.store.tables import requests
from tests.unit.gateway.store.records import new_attempt, new_request, rows_of, sending, settling

#: What a migration may do while code of the revision before it works on the tables.
ADDING = {"create_table", "create_index", "add_column", "f", "execute", "bulk_insert"}
#: The first one that older code had to live with.
SINCE = "0016"
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("of_{revision}", sa.Column("id", sa.Text(), primary_key=True))
    for table in ("requests", "jobs", "attempts", "events"):
        op.add_column(table, sa.Column("of_{revision}", sa.Text(), server_default="", nullable=False))
        op.create_index("ix_" + table + "_of_{revision}", table, ["of_{revision}"])
"""


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """Becomes a version of the code that has so many migrations more; 0 is this one again."""
    ours, now = migrate.MIGRATIONS, int(migrate.head())
    folder = tmp_path / "next" / "migrations"
    shutil.copytree(ours, folder, ignore=shutil.ignore_patterns("__pycache__"))

    def become(more):
        for number in range(now + 1, now + more + 1):
            text = NEXT.format(revision=f"{number:04}", before=f"{number - 1:04}")
            (folder / "versions" / f"{number:04}_next.py").write_text(text)
        monkeypatch.setattr(migrate, "MIGRATIONS", folder if more else ours)

    return become


async def work(store, name):
    """A request from acceptance to its end."""
    await store.write(lambda conn: add_principal(conn, name, f"key-{name}", kind=Kind.CHANNEL, name=name))
    row, attempt = new_request(name), new_attempt(operation_id=name)
    await store.batch(accept, row)
    assert await store.batch(intend, sending(row, attempt))
    assert (await store.batch(settle, settling(row, attempt))).valid
    (found,) = await rows_of(store, requests, id=row.id)
    assert found.state == "completed"


async def test_s9_nodes_of_two_versions_work_beside_each_other_on_the_newer_schema(database, keyring, newer):
    old = await open_store(database.url, keyring, Clock())
    await work(old, "before")
    if old.dialect == "sqlite":  # one process at a time: the newer one was tried, and the older one comes back
        await old.close()
    newer(1)
    new = await open_store(database.url, keyring, Clock())
    assert new.upgraded is not None
    assert int(new.upgraded.after) == int(new.upgraded.before or "0") + 1
    await work(new, "new")
    if old.dialect == "sqlite":
        await new.close()
    else:
        await work(old, "old-beside-new")
        await old.close()
    newer(0)
    again = await open_store(database.url, keyring, Clock())
    assert again.upgraded is not None
    assert again.upgraded.before == again.upgraded.after == new.upgraded.after, "it is left as it is"
    await work(again, "old-started-anew")
    await again.close()
    if new is not old and new.dialect == "postgresql":
        await work(new, "new-to-the-end")
        await new.close()


async def test_s9_two_versions_apart_is_refused_in_one_sentence(database, keyring, newer):
    newer(2)
    await (await open_store(database.url, keyring, Clock())).close()
    newer(0)
    for read_only in (False, True):
        with pytest.raises(StoreError, match="newer than this version of Jisr by more than one") as refused:
            await open_store(database.url, keyring, Clock(), read_only=read_only)
        assert "\n" not in str(refused.value)


async def test_an_older_schema_is_refused_where_nodes_do_not_migrate(database, keyring, newer):
    newer(1)
    with pytest.raises(StoreError, match="run `jisr db upgrade`"):
        await open_store(database.url, keyring, Clock(), migrates=False)
    await (await open_store(database.url, keyring, Clock())).close()
    await (await open_store(database.url, keyring, Clock(), migrates=False)).close()


def test_s9_migrations_only_add_so_that_the_code_before_them_goes_on():
    """What is dropped or renamed is first left alone by a whole version: see docs/how-to/update.md."""
    found = []
    for file in sorted((migrate.MIGRATIONS / "versions").glob("*.py")):
        if file.name[:4] < SINCE:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "op"):
                continue
            text = ast.unparse(node)
            bare = node.func.attr == "add_column" and "nullable=False" in text and "server_default" not in text
            if node.func.attr not in ADDING or bare or (node.func.attr == "execute" and "UPDATE" not in text):
                found.append(f"{file.name}:{node.lineno}: {node.func.attr}")
    assert found == []
