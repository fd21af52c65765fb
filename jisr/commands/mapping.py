"""`jisr mapping`: what the author of a mapping works with; nothing here touches the network or a database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jisr import mapping_views
from jisr.commands.connector_check import find_folder
from jisr.errors import CommandError
from jisr.terminal import Front, front

if TYPE_CHECKING:
    from connectors.kit.mapping_tools.workbench import Workbench

app = typer.Typer(no_args_is_help=True, help="Mapping documents: test, lint, try, explain.")

PackageName = Annotated[str, typer.Argument(help="A package's folder, or the name of a connector that is installed.")]
OperationName = Annotated[str, typer.Argument(help="An operation or a callback of the package's manifest.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("test")
def run_tests(
    context: typer.Context,
    package: PackageName,
    operation: Annotated[str | None, typer.Argument(help="One operation; all, unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Run every sample both ways, and the cases of mapping/<operation>.cases.yaml.

    Exit status: 0 all is as it should be, 1 something differs, 2 wrong usage.

    Examples:

      jisr mapping test education

      jisr mapping test ./municipality submit --json
    """
    from connectors.kit.mapping_tools.testing import run

    here = front(context)
    bench = _bench(here, package)
    if operation is not None and operation not in bench.package.callbacks:
        bench.operation(operation)
    results = list(run(bench, operation))
    mapping_views.show_tests(here, bench.package.name, results, as_json=as_json)
    if not results:
        raise CommandError(here.text("لا عينات ولا حالات.", "There are no samples and no cases."))
    if not all(result.good for result in results):
        raise typer.Exit(1)


@app.command("lint")
def lint_package(
    context: typer.Context,
    package: PackageName,
    strict: Annotated[bool, typer.Option("--strict", help="End with 1 for what is doubtful too.")] = False,
    as_json: Json = False,
) -> None:
    """Find what is mapped wrongly although it loads, and what is not used.

    Mandatory fields of the contract that nothing fills, fields that the contract, the canonical document or the
    manifest does not have, codes, lossy types, parts and tables without use.

    Exit status: 0 nothing is wrong, 1 something is, 2 wrong usage.

    Examples:

      jisr mapping lint education

      jisr mapping lint ./municipality --strict --json
    """
    from connectors.kit.mapping_tools.linting import lint
    from gateway.errors import CATALOGUE

    here = front(context)
    bench = _bench(here, package)
    findings = lint(bench, frozenset(CATALOGUE))
    mapping_views.show_findings(here, bench.package.name, findings, as_json=as_json)
    if any(strict or finding.severity == "wrong" for finding in findings):
        raise typer.Exit(1)


@app.command("try")
def try_(
    context: typer.Context,
    package: PackageName,
    operation: OperationName,
    sample: Annotated[str, typer.Option(help="The sample to start from; `succeeded`, unless given.")] = "",
    document: Annotated[Path | None, typer.Option(help="A canonical document (JSON) instead of the sample's.")] = None,
    answer: Annotated[Path | None, typer.Option(help="An answer (XML or JSON) instead of the sample's.")] = None,
    status: Annotated[int, typer.Option(help="The HTTP status of --answer.", min=100, max=599)] = 200,
    as_json: Json = False,
) -> None:
    """Show both sides next to each other: document and request, answer and outcome.

    Examples:

      jisr mapping try education submit

      jisr mapping try transport vehicle-check --document mine.json --answer theirs.json --status 404
    """
    from connectors.kit.mapping_tools.called_back import callback_sample, message_of
    from connectors.kit.mapping_tools.trying import try_callback, try_out
    from connectors.kit.mapping_tools.workbench import answer_of, http_answer, read_json

    here = front(context)
    bench = _bench(here, package)
    if operation in bench.package.callbacks:
        raw = _bytes(here, answer) if answer else message_of(callback_sample(bench, operation, sample))
        mapping_views.show_tried(here, try_callback(bench, operation, raw), as_json=as_json)
        return
    bench.operation(operation)
    if document is not None:
        given, said = read_json(document), None
    else:
        started = bench.sample(operation, sample)
        given, said = started.json("canonical.json"), answer_of(started)
    if answer is not None:
        said = http_answer(_bytes(here, answer), status)
    tried = try_out(bench, operation, given, said)
    mapping_views.show_tried(here, tried, as_json=as_json)
    if tried.problem:
        raise typer.Exit(1)


@app.command("explain")
def explain_fields(
    context: typer.Context,
    package: PackageName,
    operation: OperationName,
    sample: Annotated[str, typer.Option(help="The sample whose values are shown, masked; else `succeeded`.")] = "",
    as_json: Json = False,
) -> None:
    """Say for each field where it comes from, by which rule, and what stood there (masked).

    Examples:

      jisr mapping explain education submit

      jisr mapping explain syriatel_cash confirm --sample refused-otp-wrong --json
    """
    from connectors.kit.mapping_tools.explaining import explain

    here = front(context)
    explanation = explain(_bench(here, package), operation, sample)
    mapping_views.show_explained(here, explanation, as_json=as_json)


def _bytes(here: Front, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(here.text(f"لا يُقرأ الملف {file}.", f"{file} cannot be read.")) from error


def _bench(here: Front, package: str) -> "Workbench":
    from connectors.kit.mapping_tools.workbench import Workbench

    return Workbench(find_folder(here, package))
