"""`jisr connector lock`: is the contract the one that was pinned, and the institution's of today the same?"""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from jisr.commands.connector_show import Named, find
from jisr.errors import CommandError
from jisr.terminal import front


def lock(
    context: typer.Context,
    package: Named,
    against: Annotated[
        str | None,
        typer.Option(
            help="The institution's contract of today, a file or an address, to compare with. عقد اليوم للمقارنة."
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Pin the files as they are now, after you have looked. تثبيت الحالي.")
    ] = False,
    root: Annotated[Path | None, typer.Option(help="As for init, with --against. كما في init.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="As for init, with --against. كما في init.")
    ] = False,
) -> None:
    """Verify contract.lock, or write it where there is none; 1 when the contract has changed. يدقق تثبيت العقد.

    With --against it says which operations and fields the institution's contract of today has otherwise.

    Examples:

      jisr connector lock municipality

      jisr connector lock municipality --against https://services.municipality.example/requests?wsdl
    """
    from connectors.kit.importing.drift import examine, pin

    here = front(context)
    folder = find(here, package).resolve()
    drift = examine(folder, against=against, root=root, allow_private=allow_private)
    for words in drift.differences:
        here.out.print(Text("✗ ", style="red").append(here.text(words.ar, words.en), style="default"))
    if drift.unpinned or (accept and against is None):
        pin(folder)
        here.say("ثُبّت العقد في contract.lock.", "The contract is pinned in contract.lock.")
        return
    if drift.differences:
        raise CommandError(
            here.text(
                f"العقد تغيّر، الفروق: {len(drift.differences)}. راجعها مع الجهة وعدّل الحزمة، ثم أعد الأمر مع ‎--accept.",
                f"The contract has changed, differences: {len(drift.differences)}. Look at them with the institution, "
                "mend the package, and repeat with --accept.",
            )
        )
    here.say("العقد هو نفسه.", "The contract is the same.")
