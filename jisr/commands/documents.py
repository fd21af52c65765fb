"""`jisr docs`: the pages of docs/reference that are rendered from code and data."""

from pathlib import Path
from typing import Annotated

import typer

from jisr.errors import CommandError
from jisr.terminal import front

app = typer.Typer(no_args_is_help=True, help="Reference pages that are rendered from code and data.")
Folder = Annotated[Path, typer.Option(help="Where the pages stand.")]
Schemas = Annotated[Path, typer.Option(help="Where the JSON Schemas stand.")]
_FOLDER = Path("docs/reference")
_SCHEMAS = Path("config/schemas")


@app.command("show")
def show(
    page: Annotated[str, typer.Argument(help="A page's name, such as states, errors, cli, openapi or manifest.")],
) -> None:
    """Print one page. Examples: jisr docs show states; jisr docs show openapi"""
    from jisr import reference

    if page not in reference.PAGES:
        raise CommandError(f"There is no page {page!r}; there are {', '.join(reference.PAGES)}.")
    print(reference.PAGES[page].render(), end="")


@app.command("write")
def write(context: typer.Context, folder: Folder = _FOLDER, schemas: Schemas = _SCHEMAS) -> None:
    """Write all pages and JSON Schemas. Example: jisr docs write"""
    from jisr import reference
    from jisr.schemas import SCHEMAS

    for place, pages in ((folder, reference.PAGES), (schemas, SCHEMAS)):
        for page in pages.values():
            (place / page.file).write_text(page.render(), encoding="utf-8")
    front(context).say("كُتبت الصفحات.", "The pages are written.")


@app.command("check")
def check(context: typer.Context, folder: Folder = _FOLDER, schemas: Schemas = _SCHEMAS) -> None:
    """Say whether the pages and schemas in the tree are what the code renders. Example: jisr docs check"""
    from jisr import reference
    from jisr.schemas import SCHEMAS

    both = ((folder, reference.PAGES), (schemas, SCHEMAS))
    old = [page.file for place, pages in both for page in pages.values() if not page.is_current(place)]
    if old:
        raise CommandError(f"Not current: {', '.join(old)}; `make docs` writes them anew.")
    front(context).say("الصفحات مطابقة للبرنامج.", "The generated pages are current.")
