"""`jisr db`: the record database."""

import asyncio

import typer

from jisr.terminal import front

app = typer.Typer(no_args_is_help=True, help="The record database.")


@app.command("upgrade")
def upgrade(context: typer.Context) -> None:
    """Bring the tables to this version. The server does the same when it starts.

    Example:

      jisr db upgrade
    """
    from gateway.security.keyring import Keyring
    from gateway.store.clock import Clock
    from gateway.store.engine import open_store

    here = front(context)
    settings = here.settings()

    async def migrate() -> None:
        store = await open_store(settings.database_url, Keyring.load(settings.keyring_path), Clock())
        await store.close()

    asyncio.run(migrate())
    here.say("الجداول مطابقة لهذا الإصدار.", "The tables are at this version.")
