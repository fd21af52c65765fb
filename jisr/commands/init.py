"""`jisr init`: an installation of one's own, in a folder."""

from pathlib import Path
from typing import Annotated

import typer

from jisr import sandboxes, setup
from jisr.terminal import front


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where; it is made when it does not exist.")] = Path(),
    port: Annotated[int, typer.Option(help="The port that the gateway will listen on.", min=1, max=65535)] = 8080,
    base_port: Annotated[int, typer.Option(help="The first port of the sandboxes.", min=1, max=65000)] = 9101,
) -> None:
    """Write jisr.toml, a new keyring and the data folder. Nothing is overwritten.

    Examples:

      jisr init

      jisr init /srv/jisr --port 8090
    """
    here = front(context)
    settings = setup.create(folder, port=port, base_port=base_port, connectors={})
    packages = sandboxes.folders()
    found = sandboxes.find(
        packages, sandboxes.ports(packages, base_port, {}), sandboxes.home(settings.data_dir), folder
    )
    setup.write_settings(folder, port=port, base_port=base_port, connectors=sandboxes.connector_settings(found))
    config = folder / setup.SETTINGS_FILE
    jisr = "jisr" if folder == Path() else f"jisr --config {config}"
    here.say(f"[green]✓[/] كُتبت الإعدادات: {config}", f"[green]✓[/] settings: {config}")
    here.say(f"[green]✓[/] حلقة المفاتيح: {settings.keyring_path}", f"[green]✓[/] keyring: {settings.keyring_path}")
    here.say(
        "  احفظ نسخة منها بعيداً عن قاعدة البيانات، فلا سجل يُقرأ بدونها.",
        "  Keep a copy away from the database: no record can be read without it.",
    )
    here.say("الخطوات التالية:", "Next:")
    here.out.print(f"  {jisr} doctor\n  {jisr} channel add web-site\n  {jisr} sandbox\n  {jisr} serve", markup=False)
