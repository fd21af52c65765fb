"""Writes a package folder, proves it by replaying its samples, and puts it in place in one step or not at all."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from connectors.kit.conformance.canned import AMBIENT
from connectors.kit.importing import texts
from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.mappings import mapping_text
from connectors.kit.importing.refusal import ContractRefused, Progress, Report, Words
from connectors.kit.importing.replay import Heard, Replay, Said, as_json, replaying
from connectors.kit.importing.samples import canonical
from connectors.kit.lists import read_query
from connectors.kit.manifest import ManifestError
from mappings.errors import MappingError
from mappings.sentences import in_arabic

MODES = 3  #: Everything is written out; only what the sample has; the request passes as it stands.
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(slots=True)
class Authentication:
    """What the contract says of proving who calls."""

    kind: str = "none"
    keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, bool] = field(default_factory=dict)  #: Name -> whether it is secret.
    note: str = ""


@dataclass(slots=True)
class PackageDraft:
    """A package before it is written."""

    name: str
    kind: str
    title: str
    address: str  #: Where the contract says that the institution listens; may be empty.
    source: str
    files: Mapping[str, bytes]  #: The vendored contract: path in the package -> content.
    drafts: list[Draft]
    authentication: Authentication
    manifest_tables: str = ""  #: `[soap]` or `[rest]`, as text.
    lock: Mapping[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """Settings that fit the package's sandbox."""
        return {"base_url": "http://127.0.0.1:{port}"} | dict.fromkeys(self.authentication.settings, "sandbox-only")


def check_target(name: str, into: Path) -> Path:
    """Where the package will stand. Raises ContractRefused for a name that is none and for a folder that exists."""
    if not NAME.fullmatch(name):
        suggestion = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_0123456789")[:40]
        hint_en = f"; {suggestion} would do" if NAME.fullmatch(suggestion) else ""
        hint_ar = f"؛ يصلح مثلاً {suggestion}" if NAME.fullmatch(suggestion) else ""
        raise ContractRefused(
            f"{name!r} is no name for a package: lower-case letters, digits and underscores, at most 41{hint_en}.",
            f"«{name}» لا يصلح اسماً لحزمة: حروف لاتينية صغيرة وأرقام وشرطات سفلية، 41 على الأكثر{hint_ar}.",
        )
    if not into.is_dir():
        raise ContractRefused(f"There is no folder {into}.", f"لا يوجد مجلد باسم {into}.")
    if (into / name).exists() or (into / name).is_symlink():
        raise ContractRefused(
            f"{into / name} exists already; choose another name or remove it.",
            f"المجلد {into / name} موجود؛ اختر اسماً آخر أو احذفه.",
        )
    return into / name


def write_package(package: PackageDraft, into: Path, report: Report, progress: Progress) -> Path:
    """The finished folder. Operations that do not replay are left out, with a sentence. Raises ContractRefused."""
    target = check_target(package.name, into)
    try:
        with _workshop(package.name, into) as workshop:
            folder = workshop / package.name
            asyncio.run(_Writing(package, folder, report, progress).until_it_holds())
            folder.rename(target)
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise ContractRefused(
            f"{target} cannot be written: {said}. Nothing was left there.",
            f"تعذّرت كتابة {target}: {in_arabic(said)}. لم يبقَ شيء هناك.",
        ) from error
    return target


@contextmanager
def _workshop(name: str, into: Path) -> Iterator[Path]:
    """A folder beside the package for what is not finished; gone in the end, and with the next import if this one is
    killed: whoever works in one holds its lock."""
    for left in into.glob(f".{name}-*.init"):
        with suppress(OSError), _locked(left):
            shutil.rmtree(left, ignore_errors=True)
    workshop = Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".init", dir=into))
    try:
        with _locked(workshop):
            yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder's lock. Raises OSError when somebody has it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


class _Writing:
    def __init__(self, package: PackageDraft, folder: Path, report: Report, progress: Progress) -> None:
        self._package = package
        self._folder = folder
        self._report = report
        self._progress = progress

    async def until_it_holds(self) -> None:
        """Write and replay; what does not hold is written more simply, and in the end left out."""
        while True:
            self._refuse_nothing()
            self._write()
            count = len(self._package.drafts)
            self._progress(Words(f"Replaying the samples of {count} operations", f"إعادة تشغيل عينات {count} عملية"))
            try:
                failures = await self._replay_all()
            except (ManifestError, MappingError) as error:
                failures = self._blamed(error)
            if not failures:
                return
            for draft, why in failures:
                self._simplify(draft, why)

    def _refuse_nothing(self) -> None:
        if not self._package.drafts:
            why = self._report.left_out[-1] if self._report.left_out else Words("it has none", "لا عمليات فيه")
            raise ContractRefused(
                f"No operation of the contract can be used: {why.en}", f"لا يمكن استعمال أي عملية من العقد: {why.ar}"
            )

    def _simplify(self, draft: Draft, why: str) -> None:
        draft.mode += 1
        if draft.mode >= MODES:
            self._package.drafts.remove(draft)
            self._report.left_out.append(Words(
                f"{draft.place}: The operation {draft.wire} is left out: {why}.",
                f"{draft.place}: تُركت العملية {draft.wire}: {in_arabic(why)}.",
            ))  # fmt: skip

    def _blamed(self, error: ManifestError | MappingError) -> list[tuple[Draft, str]]:
        """The operation that an error names; an error that names none costs the contract."""
        said, key = str(error).replace(f"{self._folder}/", ""), str(getattr(error, "key", ""))
        for draft in self._package.drafts:
            named = f"mapping/{draft.name}.yaml" in said or key in {draft.wire, f"operations.{draft.name}.wire"}
            if named or key.startswith(f"operations.{draft.name}."):
                if f"mapping/{draft.name}.yaml" not in said:
                    draft.mode = MODES  # simpler mappings do not help
                return [(draft, said.partition(": ")[2] or said)]
        whole = said.rstrip(".")
        raise ContractRefused(
            f"The contract cannot be used: {whole}.", f"لا يمكن استعمال العقد: {in_arabic(whole)}."
        ) from error

    def _write(self) -> None:
        package = self._package
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        for name, content in package.files.items():
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_bytes(content)
        (self._folder / "mapping").mkdir()
        for draft in package.drafts:
            while (written := mapping_text(draft)) is None:
                draft.mode += 1
            self._text(f"mapping/{draft.name}.yaml", written)
        self._text("manifest.toml", texts.manifest(package))
        self._text("codes.toml", texts.codes(package))
        self._text("sandbox.toml", texts.sandbox(package))
        self._text("README.md", texts.readme(package, self._report))
        self._text("contract.lock", as_json(package.lock))

    def _text(self, name: str, content: str) -> None:
        (self._folder / name).write_text(content, encoding="utf-8")

    async def _replay_all(self) -> list[tuple[Draft, str]]:
        failures = []
        keys = self._package.authentication.keys
        async with replaying(self._folder, self._package.settings(), keys.get("token_path", "")) as replay:
            for draft in self._package.drafts:
                why = await self._replay(replay, draft)
                if why:
                    failures.append((draft, why))
        return failures

    async def _replay(self, replay: Replay, draft: Draft) -> str:
        given = draft.given if draft.mode < MODES - 1 else draft.whole
        document = canonical(self._package.name, draft.name, given)
        kind = self._content_type(draft)
        heard, outcome = await replay.play(draft.name, document, Said(draft.response, draft.status, kind))
        if heard is None or outcome.get("status") != "succeeded":
            return str(outcome.get("why") or f"its sample answer gives {outcome.get('status')}").rstrip(".")
        problem = draft.check(heard.body) if draft.check is not None else None
        if problem is not None:
            return f"its sample request is not valid, {problem}"
        self._case(draft, "succeeded", document, heard, draft.response, draft.status, outcome)
        if draft.fault:
            heard, outcome = await replay.play(draft.name, document, Said(draft.fault, draft.fault_status, kind))
            outcome.pop("why", None)
            if heard is not None:
                self._case(draft, "fault-unlisted", document, heard, draft.fault, draft.fault_status, outcome)
        return ""

    def _content_type(self, draft: Draft) -> str:
        if self._package.kind == "rest":
            return "application/json"
        soap12 = b"http://www.w3.org/2003/05/soap-envelope" in draft.fault
        return f"{'application/soap+xml' if soap12 else 'text/xml'}; charset=utf-8"

    def _case(
        self,
        draft: Draft,
        case: str,
        document: Mapping[str, Any],
        heard: Heard,
        response: bytes,
        status: int,
        outcome: Mapping[str, Any],
    ) -> None:
        folder = self._folder / "samples" / draft.name / case
        folder.mkdir(parents=True, exist_ok=True)
        content = {"canonical.json": as_json(document), "outcome.json": as_json(outcome)}
        if self._package.kind == "soap":
            content["request.xml"] = _body_of(heard.body)
            content["response.xml"] = response.decode()
        else:
            content["request.json"] = as_json(_request_of(heard))
            body = json.loads(response) if response else None
            content["response.json"] = as_json({"status": status, "headers": {}, "body": body})
        for name, text in content.items():
            (folder / name).write_text(text, encoding="utf-8")


def _body_of(envelope: bytes) -> str:
    root = etree.fromstring(envelope)
    body = next(child for child in root if str(child.tag).endswith("}Body"))
    if not len(body):
        return ""
    content = body[0]
    body.remove(content)
    content.tail = None
    etree.indent(content)
    kept: Any = [prefix for prefix in content.nsmap if prefix and prefix != "soap"]
    etree.cleanup_namespaces(content, keep_ns_prefixes=kept)
    text: str = etree.tostring(content, encoding="unicode")
    return text + "\n"


def _request_of(heard: Heard) -> dict[str, Any]:
    parts = urlsplit(heard.target)
    return {
        "method": heard.method,
        "path": unquote(parts.path),
        "query": read_query(parts.query),
        "headers": {name: value for name, value in heard.headers.items() if name not in AMBIENT},
        "body": json.loads(heard.body) if heard.body else None,
    }
