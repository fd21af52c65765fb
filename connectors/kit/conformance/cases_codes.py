"""Codes: each listed one is shown by a sample, each outcome is reached, and what is not listed is never final."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from connectors.kit.conformance.bench import Bench
from connectors.kit.conformance.canned import Said
from connectors.kit.conformance.case import Failure, Skipped, case, require
from connectors.kit.conformance.replay import replay, said_by
from connectors.kit.conformance.subject import Sample, Subject, in_one_word
from connectors.kit.contract import Outcome, Status

_KINDS = ("codes", "faults")
_FINAL = (Status.SUCCEEDED, Status.REFUSED)
#: Codes of the same shapes as institutions use; one of them is free in any package.
_UNHEARD_OF = ("97", "NOT_IN_ANY_CONTRACT", "-9797", "Z")
_UNHEARD_OF_STATUS = 299


def _listed(subject: Subject, operation: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(kind, code, meaning) as they stand under that operation."""
    book = subject.codes()
    return [(kind, code, row) for kind in _KINDS for code, row in book.get(kind, {}).get(operation, {}).items()]


def _texts(samples: Iterable[Sample]) -> str:
    return "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for sample in samples
        for path in sorted(sample.folder.glob("response.*"))
    )


def _stands_in(code: str, text: str) -> bool:
    return any(form in text for form in (f'"{code}"', f">{code}<", f": {code},", f": {code}\n"))


def _require_shown(bench: Bench, operation: str, samples: Iterable[Sample]) -> None:
    text = _texts(samples)
    codes = {sample.json("outcome.json").get("institution_code") for sample in samples}
    for kind, code, _ in _listed(bench.subject, operation):
        ar, en = ("أي عملية", "any operation") if operation == "*" else (operation, operation)
        require(
            _stands_in(code, text) or code in codes,
            f"الرمز {code} مدرج في codes.toml ولا تظهره عينة من عينات {ar}؛ أضف عينة جوابها بهذا الرمز.",
            f"The code {code} is listed in codes.toml and no sample of {en} "
            "shows it; add a sample whose answer has this code.",
            bench.subject.at("codes.toml", f'{kind}."{operation}"."{code}"'),
        )


@case(
    "codes",
    "code-has-sample",
    "لكل رمز مدرج للعملية عينة تظهره.",
    "Every code that is listed for the operation is shown by one of its samples.",
)
async def listed_codes_have_samples(bench: Bench) -> None:
    """A meaning that no sample shows was never tried."""
    _require_shown(bench, bench.name, bench.subject.samples_of(bench.name))


@case(
    "codes",
    "shared-code-has-sample",
    'لكل رمز مشترك (تحت "*") عينة تظهره.',
    'Every shared code (under "*") is shown by a sample.',
    of_package=True,
)
async def shared_codes_have_samples(bench: Bench) -> None:
    """The same for `[codes."*"]` and `[faults."*"]`."""
    _require_shown(bench, "*", bench.subject.samples)


@case(
    "codes",
    "outcome-is-reached",
    "كل نتيجة يذكرها codes.toml للعملية تبلغها عينة أو شخص اختبار.",
    "Every outcome that codes.toml names for the operation is reached by a sample or a test person.",
)
async def outcomes_are_reached(bench: Bench) -> None:
    """Outcomes by their canonical words."""
    reached = {_word(sample.json("outcome.json")) for sample in bench.subject.samples_of(bench.name)}
    reached |= {word for person in bench.subject.persons for word in person.expect.get(bench.name, ())}
    for kind, code, row in _listed(bench.subject, bench.name):
        wanted = _word(row)
        require(
            wanted in reached or "error" in row,
            f"لا عينة ولا شخص اختبار يبلغ النتيجة {wanted} (الرمز {code})؛ أضف عينة أو شخصاً في persons.toml.",
            f"No sample and no test person reaches the outcome {wanted} (code {code}); add a sample, "
            "or a person to persons.toml.",
            bench.subject.at("codes.toml", f'{kind}."{bench.name}"."{code}"'),
        )


def _word(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"error:{row['error']}"
    return in_one_word(row.get("status", ""), row.get("code", ""))


@case(
    "codes",
    "code-in-catalogue",
    "لكل رمز رفض أو شك صف في فهرس الأخطاء، فيقرأ المواطن جملة مفهومة.",
    "Every code of a refusal or a doubt has a row in the error catalogue, so that the citizen reads a sentence.",
    of_package=True,
)
async def canonical_codes_are_in_the_catalogue(bench: Bench) -> None:
    """The catalogue belongs to the gateway; without one nothing can be said."""
    catalogue = bench.subject.catalogue
    if catalogue is None:
        raise Skipped("لا فهرس أخطاء هنا للمقارنة.", "There is no error catalogue here to compare with.")
    book = bench.subject.codes()
    for kind in _KINDS:
        for operation, rows in book.get(kind, {}).items():
            for code, row in rows.items():
                needed = row.get("status") in ("refused", "in_doubt")
                require(
                    not needed or row.get("code") in catalogue,
                    f"الرمز الموحد {row.get('code')} ليس في فهرس الأخطاء؛ اختر رمزاً منه (‎jisr docs show errors) "
                    "أو اطلب إضافة صف.",
                    f"The canonical code {row.get('code')} is not in the error catalogue; choose one of its codes "
                    "(jisr docs show errors), or ask for a row.",
                    bench.subject.at("codes.toml", f'{kind}."{operation}"."{code}"'),
                )


@case(
    "codes",
    "unlisted-code-is-never-final",
    "جواب برمز غير مدرج لا يصير نجاحاً ولا رفضاً.",
    "An answer whose code is not listed becomes neither a success nor a refusal.",
)
async def unlisted_codes_are_never_final(bench: Bench) -> None:
    """The sample `succeeded`, with a code in the place of its own that no table lists."""
    sample = bench.subject.sample(bench.name)
    code = str(sample.json("outcome.json").get("institution_code", ""))
    listed = {code for name in (bench.name, "*") for _, code, _ in _listed(bench.subject, name)}
    said = said_by(sample)
    changed = False
    for other in (word for word in _UNHEARD_OF if word not in listed):
        body = said.body
        for quote in (('"', '"'), (">", "<")):
            old, new = (f"{quote[0]}{word}{quote[1]}".encode() for word in (code, other))
            body = body.replace(old, new)
        body = body if body != said.body else _with_number(body, code, other)
        if body == said.body:
            break
        changed = True
        await _require_not_final(bench, sample, replace(said, body=body), other)
    if code == str(said.status):
        changed = True
        await _require_not_final(bench, sample, replace(said, status=_UNHEARD_OF_STATUS), str(_UNHEARD_OF_STATUS))
    if not changed:
        raise Skipped(
            f"جواب النجاح لا يحمل الرمز {code}، فكل جواب صحيح من حيث الشكل يعد نجاحاً؛ هذا صحيح فقط "
            "إن كان العقد بلا رمز نتيجة.",
            f"The answer of success does not carry the code {code}, so every well-formed answer counts as success; "
            "that is right only if the contract has no result code.",
        )


def _with_number(body: bytes, code: str, other: str) -> bytes:
    """A numeric JSON code in the place of another."""
    if not (code.lstrip("-").isdigit() and other.lstrip("-").isdigit()):
        return body
    for end in (b",", b"}"):
        body = body.replace(f": {code}".encode() + end, f": {other}".encode() + end)
    return body


async def _require_not_final(bench: Bench, sample: Sample, said: Said, code: str) -> None:
    _, came = await replay(bench.subject, sample, said)
    if isinstance(came, Outcome) and came.status in _FINAL:
        raise Failure(
            f"جواب برمز غير مدرج ({code}) صار {came.status.value}؛ اجعل answer.code في "
            f"mapping/{bench.name}.yaml يقرأ رمز الجهة نفسه، لا قيمة ثابتة ولا بديلاً.",
            f"An answer with an unlisted code ({code}) became {came.status.value}; let answer.code in "
            f"mapping/{bench.name}.yaml read the institution's own code, not a constant and no default.",
            bench.subject.at(f"mapping/{bench.name}.yaml", "answer.code"),
        )
