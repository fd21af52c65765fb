"""`jisr connector init`: a package from an institution's contract."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from connectors.kit.importing.refusal import Report, Words
from jisr.errors import CommandError
from jisr.terminal import Front, front


def init(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="The package's name: lower-case letters, digits, underscores. اسم الحزمة.")
    ],
    wsdl: Annotated[
        str | None, typer.Option(help="A WSDL 1.1: a file, or an http or https address. ملف WSDL أو عنوانه.")
    ] = None,
    openapi: Annotated[
        str | None, typer.Option(help="An OpenAPI 3.0 or 3.1 document, JSON or YAML. وثيقة OpenAPI أو عنوانها.")
    ] = None,
    into: Annotated[
        Path, typer.Option(help="The folder that gets the package's folder. المجلد الذي تُكتب فيه.")
    ] = Path(),
    port: Annotated[
        str | None, typer.Option(help="Which port of the WSDL; else the richest. منفذ WSDL المطلوب.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(help="The folder that files of the contract may lie in; else the file's own. جذر ملفات العقد."),
    ] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from a private address too. السماح بعنوان خاص.")
    ] = False,
) -> None:
    """Write a connector package from a contract: manifest, mappings, samples, sandbox settings, README.

    يكتب حزمة موصل من عقد الجهة.

    The contract is vendored and pinned by its hashes. Nothing outside the contract's own folder or host is read, and
    an existing folder is never touched.

    Examples:

      jisr connector init municipality --wsdl municipality.wsdl

      jisr connector init post --openapi https://api.post.example/openapi.json --into connectors-of-ours
    """
    here = front(context)
    if (wsdl is None) == (openapi is None):
        raise CommandError(here.text("أعطِ ‎--wsdl أو ‎--openapi، واحداً منهما.", "Give either --wsdl or --openapi."))
    _refuse_taken(here, name)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=here.err, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)

        def progress(words: Words) -> None:
            bar.update(task, description=here.text(words.ar, words.en))

        if wsdl is not None:
            from connectors.kit.importing.wsdl_import import import_wsdl

            folder, report = import_wsdl(
                name, wsdl, into, port=port, root=root, allow_private=allow_private, progress=progress
            )
        else:
            from connectors.kit.importing.openapi_import import import_openapi

            assert openapi is not None
            folder, report = import_openapi(
                name, openapi, into, root=root, allow_private=allow_private, progress=progress
            )
    _tell(here, folder, report)


def _refuse_taken(here: Front, name: str) -> None:
    from connectors.registry import BUILT_IN

    if any((root / name / "manifest.toml").is_file() for root in BUILT_IN):
        raise CommandError(
            here.text(
                f"يوجد موصل باسم {name} في البرنامج؛ اختر اسماً آخر.",
                f"The program has a connector {name}; choose another name.",
            )
        )


def _tell(here: Front, folder: Path, report: Report) -> None:
    for sign, style, words in (
        *(("~", "yellow", one) for one in report.repairs),
        *(("–", "yellow", one) for one in report.left_out),
        *(("i", "cyan", one) for one in report.hints),
    ):
        here.out.print(Text(sign, style=style), Text(here.text(words.ar, words.en)))
    operations = len(list((folder / "mapping").glob("[a-z]*.yaml")))
    here.say(
        f"[green]✓[/] كُتبت الحزمة في {folder}، العمليات: {operations}؛ الخطوات التالية في README.md.",
        f"[green]✓[/] The package is in {folder}, operations: {operations}; its README.md tells the next steps.",
    )
