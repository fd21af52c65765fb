"""Records samples: the author writes an institution's answer; request and outcome are what the package makes of it.

What is recorded is what happens, not what is right: the author reads it before it counts as a sample.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.kit.conformance.canned import Asked
from connectors.kit.conformance.case import Failure, Place
from connectors.kit.conformance.replay import replay
from connectors.kit.conformance.subject import Sample, Subject, open_subject
from connectors.kit.mapping_tools.called_back import MESSAGE, message_of, read_callback, shown_callback
from connectors.kit.mapping_tools.workbench import Workbench
from connectors.kit.outcome_file import shown
from connectors.kit.xsd_codec.particles import TYPE, XSI

_ANSWERS = ("response.xml", "response.json")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One sample that was recorded."""

    sample: str  #: `<operation>/<case>`.
    outcome: str  #: In one word: succeeded, refused:code, error:code.
    files: tuple[str, ...]  #: What was written.


async def record(folder: Path, only: Sequence[str] = (), *, anew: bool = False) -> list[Recorded]:
    """Write request, outcome and canonical document of the samples that lack them; those of `only`, when it is given.

    With `anew` request and outcome are written though they exist. A missing canonical document is that of the
    operation's sample `succeeded`. Raises Failure, and leaves the sample as it was.
    """
    subject = open_subject(folder)
    names = {f"{sample.operation}/{sample.case}" for sample in subject.samples}
    for name in only:
        if name not in names:
            raise Failure(
                f"لا عينة باسم {name}؛ اكتب أولاً جواب الجهة في samples/{name}/‎.",
                f"There is no sample {name}; write the institution's answer into samples/{name}/ first.",
                Place(subject.folder / "samples"),
            )
    wanted = [one for one in subject.samples if not only or f"{one.operation}/{one.case}" in only]
    done = [
        await _record_one(subject, sample, anew=anew) for sample in wanted if sample.operation in subject.operations
    ]
    bench = Workbench(subject.folder)
    done += [_record_message(bench, one, anew=anew) for one in subject.callback_samples if one in wanted]
    return [one for one in done if one is not None]


def _record_message(bench: Workbench, sample: Sample, *, anew: bool) -> Recorded | None:
    """The outcome of what the institution sends by itself."""
    if sample.has("outcome.json") and not anew:
        return None
    if not sample.has(MESSAGE):
        raise Failure(
            f"العينة {sample.operation}/{sample.case} بلا رسالة؛ اكتب {MESSAGE} فيها.",
            f"The sample {sample.operation}/{sample.case} has no message; write {MESSAGE} into it.",
            Place(sample.folder),
        )
    outcome = shown_callback(read_callback(bench, sample.operation, message_of(sample)))
    (sample.folder / "outcome.json").write_bytes(_json(outcome))
    return Recorded(f"{sample.operation}/{sample.case}", _word(outcome), ("outcome.json",))


async def _record_one(subject: Subject, sample: Sample, *, anew: bool) -> Recorded | None:
    request = "request.xml" if subject.kind == "soap" else "request.json"
    missing = [name for name in ("canonical.json", request, "outcome.json") if not sample.has(name)]
    written = sorted({*missing, *([request, "outcome.json"] if anew else [])})
    answered = any(sample.has(name) for name in _ANSWERS)
    if not written or (sample.has("outcome.json") and not answered):  # such a sample says that nothing is sent
        return None
    if not answered:
        raise Failure(
            f"العينة {sample.operation}/{sample.case} بلا جواب؛ اكتب {_ANSWERS[0]} أو {_ANSWERS[1]} فيها.",
            f"The sample {sample.operation}/{sample.case} has no answer; write {' or '.join(_ANSWERS)} into it.",
            Place(sample.folder),
        )
    borrowed = not sample.has("canonical.json")
    if borrowed:
        shutil.copyfile(subject.sample(sample.operation).folder / "canonical.json", sample.folder / "canonical.json")
    try:
        return await _replayed(subject, sample, request, written)
    except Failure:
        if borrowed:
            (sample.folder / "canonical.json").unlink()
        raise


async def _replayed(subject: Subject, sample: Sample, request: str, written: Sequence[str]) -> Recorded:
    asked, came = await replay(subject, sample)
    if not asked:
        raise Failure(
            f"لم يُرسل شيء للعينة {sample.operation}/{sample.case}: {came}",
            f"Nothing was sent for the sample {sample.operation}/{sample.case}: {came}",
            subject.at(f"mapping/{sample.operation}.yaml", "request"),
        )
    outcome = shown(came)
    contents = {request: _request(subject.kind, asked[0]), "outcome.json": _json(outcome)}
    for name in written:
        if name in contents:
            (sample.folder / name).write_bytes(contents[name])
    return Recorded(f"{sample.operation}/{sample.case}", _word(outcome), tuple(written))


def _request(kind: str, asked: Asked) -> bytes:
    if kind == "soap":
        body = etree.fromstring(asked.body).find("{*}Body")
        assert body is not None  # our own envelope
        element = _readable(body[0])
        etree.indent(element)
        return etree.tostring(element, encoding="utf-8") + b"\n"
    return _json(
        {
            "method": asked.method,
            "path": asked.path,
            "query": asked.own_query(),
            "headers": asked.own_headers(),
            "body": asked.json(),
        }
    )


def _readable(act: Any) -> Any:
    """The same element, with its namespace as the default; with prefixes where names are values or spaces several."""
    spaces = {etree.QName(node).namespace for node in act.iter()}
    named = {prefix: node.nsmap[prefix] for node in act.iter() for prefix in _prefixes(node)}
    if len(spaces) > 1 or named:
        whole = etree.fromstring(etree.tostring(act, with_tail=False))
        top: Any = {"xsi": XSI} | named if named else {}
        etree.cleanup_namespaces(whole, top_nsmap=top, keep_ns_prefixes=list(named))
        return whole
    space = spaces.pop()
    declared: Any = {None: space} if space else None  # None: without a prefix
    element = etree.Element(act.tag, dict(act.attrib), nsmap=declared)
    _copy(act, element)
    etree.cleanup_namespaces(element)
    return element


def _prefixes(node: Any) -> set[str]:
    """Of the name that `xsi:type` has as its value."""
    prefix, colon, _ = node.get(TYPE, "").partition(":")
    return {prefix} if colon else set()


def _copy(source: Any, target: Any) -> None:
    """The same children and text below an element that declares the namespace as its default."""
    target.text = source.text
    for child in source:
        _copy(child, etree.SubElement(target, child.tag, dict(child.attrib)))


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n").encode()


def _word(outcome: dict[str, Any]) -> str:
    if "error" in outcome:
        return f"error:{outcome['error']}"
    return f"{outcome['status']}:{outcome['code']}" if outcome["code"] else str(outcome["status"])
