"""`jisr connector list` and `show`: the packages of this installation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from jisr.terminal import Front, front

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON. اطبع JSON.")]
Named = Annotated[str, typer.Argument(help="A package's folder, or the name of an installed connector. اسم أو مجلد.")]


def list_packages(context: typer.Context, as_json: AsJson = False) -> None:
    """List the connectors: those of the program and those under connector_paths. يعدّد الموصلات.

    A package that is wrong gets a line with its fault; the exit status is then 1.

    Example: jisr connector list
    """
    here = front(context)
    rows = [_row(folder) for folder in _folders(here)]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        table = Table(box=None, pad_edge=False)
        for ar, en in _LIST_HEADS:
            table.add_column(here.text(ar, en), overflow="fold")
        for row in rows:
            title = Text(f"✗ {row['error']}", style="red") if "error" in row else Text(row["title"][here.language])
            table.add_row(
                row["name"],
                row.get("kind", ""),
                row.get("version", ""),
                str(row.get("operations", "")),
                title,
                row["folder"],
            )
        here.out.print(table)
    if any("error" in row for row in rows):
        raise typer.Exit(1)


def show(context: typer.Context, package: Named, as_json: AsJson = False) -> None:
    """Show one connector: operations, effects, settings and the contract that it was made from. يعرض موصلاً.

    Example: jisr connector show education
    """
    from connectors.kit.package import load_package

    here = front(context)
    loaded = load_package(find(here, package).resolve())
    described = describe(loaded)
    if as_json:
        print(json.dumps(described, ensure_ascii=False, indent=2))
        return
    here.out.print(
        Text(f"{described['name']} {described['version']}  {described['title'][here.language]}", style="bold")
    )
    here.out.print(Text(described["folder"], style="dim"))
    _table(
        here,
        described["operations"],
        ("name", "role", "effect", "inquire", "wire", "deadline_seconds"),
        _OPERATION_HEADS,
    )
    kinds = ", ".join(described["authentication"])
    here.out.print(Text(f"{here.text('إثبات الهوية', 'authentication')}: {kinds}"))
    _table(here, described["settings"], ("name", "type", "secret", "required", "description"), _SETTING_HEADS)
    contract = described["contract"]
    if contract is None:
        here.say("لا contract.lock في الحزمة.", "The package has no contract.lock.")
    else:
        here.out.print(Text(f"{here.text('العقد', 'contract')}: {contract['source']}  {contract['hash']}"))


# fmt: off
_LIST_HEADS = (
    ("الاسم", "name"), ("النوع", "kind"), ("الإصدار", "version"), ("العمليات", "operations"), ("الجهة", "institution"),
    ("المجلد", "folder"),
)
_OPERATION_HEADS = (
    ("العملية", "operation"), ("الدور", "role"), ("الأثر", "effect"), ("الاستعلام", "inquiry"),
    ("على السلك", "on the wire"), ("المهلة", "deadline"),
)
_SETTING_HEADS = (
    ("الإعداد", "setting"), ("النوع", "type"), ("سري", "secret"), ("مطلوب", "required"), ("الوصف", "description"),
)
# fmt: on


def _table(
    here: Front, rows: list[Mapping[str, Any]], keys: tuple[str, ...], heads: tuple[tuple[str, str], ...]
) -> None:
    table = Table(box=None, pad_edge=False, title_justify="left")
    for ar, en in heads:
        table.add_column(here.text(ar, en), overflow="fold")
    for row in rows:
        cells = ("✓" if row[key] is True else "" if row[key] in (None, False) else str(row[key]) for key in keys)
        table.add_row(*(Text(cell) for cell in cells))
    here.out.print(table)


def describe(package: Any) -> dict[str, Any]:
    """A package in words for machines; no value of a setting stands in it."""
    from connectors.kit.importing.locking import read_lock, whole_hash

    manifest = package.manifest
    lock = read_lock(package.folder)
    return {
        "name": package.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "title": {"ar": manifest.title.ar, "en": manifest.title.en},
        "folder": str(package.folder),
        "operations": [
            {
                "name": name,
                "role": operation.role,
                "effect": operation.effect.value,
                "inquire": operation.inquire,
                "wire": operation.wire,
                "deadline_seconds": operation.deadline_seconds,
            }
            for name, operation in manifest.operations.items()
        ],
        "authentication": [str(one.__struct_config__.tag) for one in manifest.proofs],
        "settings": [
            {
                "name": name,
                "type": setting.type,
                "secret": setting.secret,
                "required": setting.default is None and not setting.optional,
                "description": setting.description,
            }
            for name, setting in package.settings.items()
        ],
        "contract": None
        if lock is None
        else {"source": lock["source"], "hash": whole_hash(lock), "files": lock["files"]},
    }


def find(here: Front, package: str) -> Path:
    """The folder that a person means."""
    from jisr.commands.connector_check import find_folder

    return find_folder(here, package)


def _folders(here: Front) -> list[Path]:
    from connectors.registry import BUILT_IN

    roots = [*BUILT_IN, *(Path(path) for path in here.settings().connector_paths)]
    found = [
        folder for root in roots for folder in (root, *sorted(root.glob("*/"))) if (folder / "manifest.toml").is_file()
    ]
    return sorted(dict.fromkeys(folder.resolve() for folder in found), key=lambda folder: folder.name)


def _row(folder: Path) -> dict[str, Any]:
    from connectors.kit.manifest import ManifestError
    from connectors.kit.package import load_package
    from mappings.errors import MappingError

    try:
        package = load_package(folder)
    except (ManifestError, MappingError) as error:
        return {"name": folder.name, "folder": str(folder), "error": str(error)}
    title = package.manifest.title
    return {
        "name": package.name,
        "kind": package.manifest.kind,
        "version": package.manifest.version,
        "operations": len(package.manifest.operations),
        "title": {"ar": title.ar, "en": title.en},
        "folder": str(folder),
    }
