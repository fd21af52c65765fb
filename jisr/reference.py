"""Renders the generated pages of docs/reference: each from the code or the data that it describes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import CATALOGUE, Entry
from gateway.logs import ALLOWED
from gateway.settings import CONFIG_FOLDER
from jisr.words import STATES
from mappings.status import FINAL, MOVES, Attempt, Intent, Request, State

_MARK = "<!-- Rendered by `make docs`; edit the source, not this page. -->\n"


@dataclass(frozen=True, slots=True)
class Page:
    """One generated file."""

    file: str
    render: Callable[[], str]

    def is_current(self, folder: Path) -> bool:
        """Whether the file in `folder` is what is rendered now."""
        try:
            return (folder / self.file).read_text(encoding="utf-8") == self.render()
        except OSError:
            return False


def states() -> str:
    """Every state and every move, as tables and as diagrams."""
    text = f"""{_MARK}
# States

A state changes only along these moves; the code has one table of them (`mappings/status.py`) and refuses any other.
On the wire states are in lower case.
"""
    kinds: tuple[tuple[str, str, type[State]], ...] = (
        ("Request", "where a citizen's request stands", Request),
        ("Attempt", "one exchange with one counterparty", Attempt),
        ("Intent", "what the citizen owes for one request", Intent),
    )
    for title, what, kind in kinds:
        moves = [(source, event, target) for (owner, source, event), target in MOVES.items() if owner is kind]
        text += f"\n## {title}: {what}\n\n{_state_table(kind)}\n{_diagram(kind, moves)}\n{_move_table(moves)}"
    return text


def _state_table(kind: type[State]) -> str:
    if kind is not Request:
        return "".join(f"- `{state}`\n" for state in kind)
    rows = [
        f"| `{state}` | {STATES[state][0]} | {STATES[state][1]} | {'yes' if state in FINAL else ''} |\n"
        for state in Request
    ]
    return f"| state | Arabic | English | final |\n|---|---|---|---|\n{''.join(rows)}"


def _diagram(kind: type[State], moves: list[tuple[str, str, State]]) -> str:
    first = next(iter(kind))
    lines = [f"    [*] --> {first.value}"]
    lines += [f"    {source} --> {target.value}: {event}" for source, event, target in moves if source != target.value]
    return "```mermaid\nstateDiagram-v2\n" + "\n".join(lines) + "\n```\n"


def _move_table(moves: list[tuple[str, str, State]]) -> str:
    rows = [f"| `{source}` | {event} | `{target.value}` |\n" for source, event, target in moves]
    return f"| from | event | to |\n|---|---|---|\n{''.join(rows)}"


def errors() -> str:
    """The error catalogue."""
    whole = [entry for entry in CATALOGUE.values() if not entry.field]
    fields = [entry for entry in CATALOGUE.values() if entry.field]
    text = f"""{_MARK}
# Error codes

Every problem answer (RFC 9457) carries one of these codes in `code`, and so does a request's `reason`. A code never
changes its meaning. "Safe to retry" says whether the same call with the same Idempotency-Key may be repeated as it is.

"""
    text += "".join(_entry(entry) for entry in sorted(whole, key=lambda entry: entry.code))
    text += (
        "## Codes of single fields\n\nThey stand inside `errors` of `invalid_request`, each with a JSON pointer.\n\n"
    )
    text += "| code | Arabic | English |\n|---|---|---|\n"
    for entry in sorted(fields, key=lambda entry: entry.code):
        text += f"| `{entry.code}` | {_cell(entry.citizen.ar)} | {_cell(entry.citizen.en)} |\n"
    return text


def _entry(entry: Entry) -> str:
    rows = [
        f"| {reader} | {_cell(words.ar)} | {_cell(words.en)} |\n"
        for reader, words in (("citizen", entry.citizen), ("clerk", entry.clerk), ("technician", entry.technician))
    ]
    safe = "safe to retry" if entry.safe_to_retry else "not safe to retry"
    return f"## `{entry.code}`\n\n{safe}\n\n| for the | Arabic | English |\n|---|---|---|\n{''.join(rows)}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def settings() -> str:
    """The settings with their defaults, from the file that holds them."""
    text = (CONFIG_FOLDER / "defaults.toml").read_text(encoding="utf-8")
    return f"""{_MARK}
# Settings

A setting comes from the first of these that has it:

1. the environment: `JISR_PORT=8080`, `JISR_DISPATCH__LEASE_SECONDS=60`, `JISR_CONNECTORS__EDUCATION__PASSWORD=...`
   (two underscores lead into a section; lists of folders are separated by `:`, lists of numbers by `,`);
2. the settings file: `jisr --config FILE`, else `JISR_CONFIG`, else `jisr.toml` in the current folder; relative paths
   in it are meant from where it lies;
3. the defaults below.

An unknown setting, or one of the wrong kind, ends every command with one sentence that names it. `jisr doctor` checks
the rest: folders, database, connectors.

In `[connectors.NAME]` stand the settings that the connector's manifest names. A secret is better written as
`"env:NAME"` or `"file:PATH"` than as itself; it is read when the connector is opened.

## Defaults

```toml
{text}```
"""


def cli() -> str:
    """The commands and their options, from the program itself."""
    import typer

    from jisr.cli import app

    root = typer.main.get_command(app)
    text = f"""{_MARK}
# The command line

`jisr COMMAND --help` says the same. Exit status: 0 done, 1 could not (one sentence on standard error), 2 wrong usage,
130 interrupted. Messages are in Arabic or English, by `--lang`, `JISR_LANG` or the locale.

Commands that read or change the record database go over the local socket of a running server (`admin.sock` in the data
folder), and open the database themselves when no server runs.
"""
    return text + _command("jisr", root)


def _command(path: str, command: Any) -> str:
    help_text = "\n".join(line.strip() for line in (command.help or "").splitlines()).replace("\f", "").strip()
    text = f"\n## `{path}`\n\n{_plain(help_text)}\n"
    rows = [_option(parameter) for parameter in command.params if getattr(parameter, "name", "") not in _HIDDEN]
    if rows:
        text += f"\n| argument or option | what |\n|---|---|\n{''.join(rows)}"
    for name, sub in sorted(getattr(command, "commands", {}).items()):
        text += _command(f"{path} {name}", sub)
    return text


_HIDDEN = frozenset({"help", "install_completion", "show_completion"})


def _option(parameter: Any) -> str:
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()
    return f"| `{names}` | {_cell(getattr(parameter, 'help', None) or '')} |\n"


def _plain(text: str) -> str:
    return text.replace("[bold]", "**").replace("[/bold]", "**")


def logs() -> str:
    """What a line of the log may hold."""
    keys = ", ".join(f"`{key}`" for key in sorted(ALLOWED))
    return f"""{_MARK}
# Logs

One line for each step, on standard error: JSON, or readable on a terminal (`log.format`).

```json
{{"at":"2026-01-15T09:12:44.120531Z","level":"info","event":"request_accepted","request_id":"0199...","service":"transport.vehicle-statement"}}
```

- `request_id` is the request, `correlation` the trace id of the caller's `traceparent`; both stand on every line that
  belongs to a request, so one search shows its whole way.
- Only these keys are ever written; any other is dropped: {keys}.
- National numbers, names, phone numbers, one-time passwords, tokens and keys have no key of their own. A run of ten or
  more digits inside any other value is written as `(number)`.
- An exception is told by its class (`error_kind`) and its place (`where`); never by its message, which may quote a
  person.
- Control characters, line breaks and direction marks in a value are escaped: no value can forge a line or drive a
  terminal.
"""


def openapi() -> str:
    """The API's description, OpenAPI 3.1."""
    from gateway.api.openapi import build_document

    return json.dumps(build_document(), ensure_ascii=False, indent=1) + "\n"


def conformance() -> str:
    """The cases of the conformance suite."""
    from jisr.conformance_page import conformance as render

    return render(_MARK)


def manifest() -> str:
    """Every key of manifest.toml."""
    from jisr.format_pages import manifest as render

    return render(_MARK)


def service_file() -> str:
    """Every key of a service file."""
    from jisr.format_pages import service_file as render

    return render(_MARK)


def mapping_language() -> str:
    """The mapping language, its functions and limits."""
    from jisr.mapping_page import mapping_language as render

    return render(_MARK)


def services() -> str:
    """The services that come with the program."""
    from jisr.institution_pages import services as render

    return render(_MARK)


def connectors() -> str:
    """The institutions and payment providers that come with the program."""
    from jisr.institution_pages import connectors as render

    return render(_MARK)


def test_persons() -> str:
    """Whom the sandboxes treat in a way of their own."""
    from jisr.institution_pages import test_persons as render

    return render(_MARK)


PAGES: Mapping[str, Page] = {
    "states": Page("states.md", states),
    "errors": Page("errors.md", errors),
    "settings": Page("settings.md", settings),
    "cli": Page("cli.md", cli),
    "logs": Page("logs.md", logs),
    "openapi": Page("openapi.json", openapi),
    "conformance": Page("conformance.md", conformance),
    "manifest": Page("manifest.md", manifest),
    "service-file": Page("service-file.md", service_file),
    "mapping-language": Page("mapping-language.md", mapping_language),
    "services": Page("services.md", services),
    "connectors": Page("connectors.md", connectors),
    "test-persons": Page("test-persons.md", test_persons),
}
