"""From an OpenAPI document to a package."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import kebab
from connectors.kit.importing.guesses import pair_inquiries
from connectors.kit.importing.json_documents import Bundle
from connectors.kit.importing.locking import lock_of
from connectors.kit.importing.openapi_described import Described, Steps, UnsupportedError
from connectors.kit.importing.openapi_drafts import Drafting
from connectors.kit.importing.openapi_security import authentication_of
from connectors.kit.importing.refusal import ContractRefused, Progress, Report, Words, silent
from connectors.kit.importing.sources import open_source, source_name
from connectors.kit.importing.writing import PackageDraft, check_target, write_package
from connectors.kit.sample_values import NoSample
from connectors.kit.sample_values.json_validity import resolve, steps_of
from mappings.sentences import in_arabic

_VERSION = re.compile(r"3\.[01]\.[0-9]+(-.*)?")
_METHODS = ("get", "put", "post", "delete", "patch")
_OTHER_METHODS = ("head", "options", "trace")
_MOST_OPERATIONS = 400


def import_openapi(
    name: str,
    source: str,
    into: Path,
    *,
    root: Path | None = None,
    allow_private: bool = False,
    progress: Progress = silent,
) -> tuple[Path, Report]:
    """Write the package `name` below `into` from an OpenAPI document; the folder and what the author should know.

    Raises ContractRefused with one sentence; then nothing was written.
    """
    check_target(name, into)
    report = Report()
    package = draft_openapi(name, source, report, root=root, allow_private=allow_private, progress=progress)
    return write_package(package, into, report, progress), report


def draft_openapi(
    name: str,
    source: str,
    report: Report,
    *,
    root: Path | None = None,
    allow_private: bool = False,
    progress: Progress = silent,
) -> PackageDraft:
    """The package that a document makes, not yet written. Raises ContractRefused."""
    bundle = Bundle(open_source(source, root=root, allow_private=allow_private), progress)
    document = bundle.document
    version = _version(document, bundle.shown)
    operations = list(_operations(bundle, report))
    if not operations:
        raise ContractRefused(
            f"{bundle.shown} describes no operation that can be called.", f"لا يصف {bundle.shown} عملية يمكن استدعاؤها."
        )
    _tell_of_callbacks(bundle, operations, report)
    server = _server(document)
    progress(Words(f"Writing {len(operations)} operations", f"كتابة {len(operations)} عملية"))
    drafts = _drafts(
        Drafting(document, openapi30=version.startswith("3.0"), prefix=urlsplit(server).path),
        operations,
        bundle,
        report,
    )
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", bundle.shown.rpartition("/")[2].partition("?")[0]).strip("-.")
    stem = stem.rpartition(".")[0] or stem or "contract"
    file = f"openapi/{stem[:60]}.json"
    files = {file: (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")}
    parts = urlsplit(server)
    title = str((document.get("info") or {}).get("title") or name)
    return PackageDraft(
        name=name,
        kind="rest",
        title=title,
        address=f"{parts.scheme}://{parts.netloc}" if parts.netloc else "",
        source=source_name(source),
        files=files,
        drafts=drafts,
        authentication=authentication_of(document, [one.operation for one in operations], server),
        manifest_tables=f'[rest]\nopenapi = "{file}"',
        lock=lock_of(source_name(source), files, drafts),
    )


def _version(document: Mapping[str, Any], shown: str) -> str:
    version = document.get("openapi")
    if isinstance(version, str | float | int) and _VERSION.fullmatch(
        f"{version}.0" if not isinstance(version, str) else version
    ):
        return str(version)
    if "swagger" in document:
        old = document["swagger"]
        raise ContractRefused(
            f"{shown} is Swagger {old}; OpenAPI 3.0 and 3.1 are supported: convert it, or ask for another.",
            f"{shown} بصيغة Swagger {old}؛ المدعوم OpenAPI 3.0 و3.1: اطلبه من الجهة أو حوّله.",
        )
    if version is not None:
        raise ContractRefused(
            f"{shown} is OpenAPI {str(version)[:20]}; 3.0 and 3.1 are supported.",
            f"{shown} بصيغة OpenAPI {str(version)[:20]}؛ المدعوم 3.0 و3.1.",
        )
    raise ContractRefused(
        f"{shown} is not an OpenAPI document: the key openapi is missing.",
        f"{shown} ليس وثيقة OpenAPI: ينقصه المفتاح openapi.",
    )


def _operations(bundle: Bundle, report: Report) -> Iterator[Described]:
    """Every operation, with the parameters of its path."""
    paths = bundle.document.get("paths")
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        home: Steps = ("paths", path)
        try:
            found = resolve(bundle.document, item["$ref"]) if isinstance(item, Mapping) and "$ref" in item else item
        except NoSample as error:
            _leave_out(report, bundle, home, f"The path {path}", f"المسار {path}", str(error))
            continue
        if not isinstance(found, Mapping) or str(path).startswith("x-"):
            continue
        if found is not item:
            home = tuple(steps_of(item["$ref"]))
        for method in _METHODS:
            operation = found.get(method)
            if isinstance(operation, Mapping):
                yield Described(method.upper(), str(path), home, operation, found.get("parameters") or [])
        for method in _OTHER_METHODS:
            if method in found:
                name = f"{method.upper()} {path}"
                _leave_out(report, bundle, (*home, method), name, name, "the method is not supported")


def _tell_of_callbacks(bundle: Bundle, operations: list[Described], report: Report) -> None:
    """What the institution sends by itself is for the author to declare: the contract does not say how it is signed."""
    holders: list[tuple[Steps, Any]] = [(("webhooks",), bundle.document.get("webhooks"))]
    holders += [(one.steps("callbacks"), one.operation.get("callbacks")) for one in operations]
    for steps, named in holders:
        for name in named if isinstance(named, Mapping) else ():
            place = bundle.place((*steps, name))
            report.hints.append(Words(
                f"{place}: The institution calls back ({name}): declare that as [callbacks.NAME] of manifest.toml.",
                f"{place}: ترسل الجهة إشعاراً ({name}): صرّح به في ‎[callbacks.NAME]‎ من manifest.toml.",
            ))  # fmt: skip


def _leave_out(report: Report, bundle: Bundle, steps: Steps, en: str, ar: str, why: str, why_ar: str = "") -> None:
    place = bundle.place(steps)
    report.left_out.append(Words(
        f"{place}: {en} is left out: {why}.", f"{place}: تُرك {ar}: {why_ar or in_arabic(why)}."
    ))  # fmt: skip


def _server(document: Mapping[str, Any]) -> str:
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], Mapping) else {}
    url = str(first.get("url") or "")
    variables = first.get("variables")
    for name, variable in variables.items() if isinstance(variables, Mapping) else ():
        if isinstance(variable, Mapping):
            url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
    return url


def _drafts(drafting: Drafting, operations: list[Described], bundle: Bundle, report: Report) -> list[Draft]:
    names: set[str] = set()
    drafts = []
    for number, one in enumerate(operations):
        if number >= _MOST_OPERATIONS:
            why = f"a package has at most {_MOST_OPERATIONS} operations"
            _leave_out(report, bundle, one.steps(), one.name, one.name, why)
            continue
        name = kebab(str(one.operation.get("operationId") or f"{one.method.lower()} {one.path}"), names)
        place = bundle.place(one.steps())
        try:
            drafts.append(drafting.draft(name, one, place))
        except UnsupportedError as error:
            _leave_out(report, bundle, error.steps or one.steps(), one.name, one.name, error.en, error.ar)
            continue
        except NoSample as error:
            _leave_out(report, bundle, one.steps(), one.name, one.name, str(error))
            continue
        for dropped in drafting.dropped:
            here = bundle.place(dropped.steps or one.steps())
            report.hints.append(Words(
                f"{here}: {one.name} is imported without an optional parameter: {dropped.en}.",
                f"{here}: استُوردت {one.name} دون وسيط اختياري: {dropped.ar}.",
            ))  # fmt: skip
        if drafting.loose:
            report.hints.append(Words(
                f"{place}: {one.name}: nothing satisfies its schema to the letter (several branches of a oneOf fit, or "
                "allOf forbids what it asks for); its samples satisfy the rest.",
                f"{place}: {one.name}: لا قيمة تحقق مخططها حرفياً (oneOf أو allOf متناقض)؛ عيناتها تحقق الباقي.",
            ))  # fmt: skip
    pair_inquiries(
        {one.name: one.guess for one in drafts},
        {one.name: one.name for one in drafts},
        {one.name: one.given for one in drafts},
    )
    return drafts
