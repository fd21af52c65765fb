"""The mapping document of a drafted operation."""

from collections.abc import Iterator

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field
from connectors.kit.importing.guesses import code_field, message_field, reference_field
from connectors.kit.importing.skeletons import (
    AnswerExpressions,
    Scope,
    answer_lines,
    comment,
    data_lines,
    document_lines,
    path,
    request_lines,
)
from mappings.language import MAX_BYTES, MAX_LEAVES

_PASSED = Field("", "body", "the whole message as it stands on the wire", "object", whole=True)
_WHOLE_MODE = 2
_MOST_MANDATORY = 8


def mapping_text(draft: Draft) -> str | None:
    """The document in the draft's mode; None when it would be too large for a mapping."""
    everything = draft.mode == 0
    sections = dict(draft.sections)
    if draft.mode >= _WHOLE_MODE and "body" in sections:
        sections["body"] = _PASSED
    scope = Scope(draft.seen, everything, inquiry=draft.guess.role == "inquire")
    lines = request_lines(sections, scope, _line(draft.documentation))
    lines += ["", *answer_lines(_answer(draft, Scope(draft.response_seen, everything)))]
    text = "\n".join(lines) + "\n"
    too_large = len(text.encode()) > MAX_BYTES - 1024 or len(lines) > MAX_LEAVES - 50
    return None if too_large and draft.mode < _WHOLE_MODE else text


def _answer(draft: Draft, scope: Scope) -> AnswerExpressions:
    message, reference = (_source(find(draft.answer)) for find in (message_field, reference_field))
    code, note = code_expression(draft)
    if draft.mode >= _WHOLE_MODE:
        return AnswerExpressions(code, note)
    used = [way[-1] for way in _ways(draft)]
    data = data_lines(draft.answer, scope, used)
    return AnswerExpressions(code, note, message, reference, data, document_lines(draft.answer, scope))


def code_expression(draft: Draft) -> tuple[str, str]:
    """Where the institution's code stands, and what is said beside it."""
    if not draft.wire.startswith(("GET ", "POST ", "PUT ", "PATCH ", "DELETE ")):
        way = code_field(draft.answer, required=True)
        if way is not None:
            return _source(way), f"guessed; {comment(way[-1])}"
        return "'answered'", "the answer seems to have no code: any answer that is no fault counts as done; check this"
    way = code_field(draft.answer, required=True)
    if way is not None:
        return _source(way), f"guessed; {comment(way[-1])}"
    way = code_field(draft.answer, required=False)
    perhaps = f"; perhaps {_source(way)}" if way is not None else ""
    there = [path("answer", child.key) for child in draft.answer.children if child.least > 0][:_MOST_MANDATORY]
    if not there:
        return "to_string(http.status)", f"the HTTP status{perhaps}"
    known = " && ".join(f"{one} != `null`" for one in there)  # an answer of another shape has no code
    note = f"the HTTP status; a success has what the contract demands{perhaps}"
    return f"(http.status >= `300` || {known}) && to_string(http.status)", note


def _ways(draft: Draft) -> Iterator[list[Field]]:
    found = [message_field(draft.answer), reference_field(draft.answer)]
    if code_expression(draft)[0].startswith("answer"):
        found.append(code_field(draft.answer, required=True))
    yield from (way for way in found if way is not None)


def _source(way: list[Field] | None) -> str:
    source = "answer" if way else ""
    for step in way or ():
        source = path(source, step.key)
    return source


def _line(documentation: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in documentation)[:300].strip()
