"""Samples: every operation has some, and each holds both ways, from document to wire and from wire to outcome."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.kit.answer import UNLISTED_CODE
from connectors.kit.conformance.bench import Bench, heard
from connectors.kit.conformance.canned import Asked
from connectors.kit.conformance.case import Failure, Place, Variant, case, require
from connectors.kit.conformance.compare import first_difference, same_xml
from connectors.kit.conformance.places import place_of, place_of_text
from connectors.kit.conformance.replay import replay, said_by
from connectors.kit.conformance.subject import SUCCEEDED, Sample, Subject
from connectors.kit.contract import Operation
from connectors.kit.errors import ConnectorError, NotSent
from connectors.kit.outcome_file import shown
from mappings.sentences import in_arabic

_SECTION = re.compile(r"\b(?:path|query|headers)\.[A-Za-z0-9_.-]+")
_MAPPING_FAILED = {"error": "mapping_failed"}


def _own(subject: Subject, operation: Operation | None) -> Iterable[Variant]:
    assert operation is not None
    return [Variant(sample.case, sample) for sample in subject.samples_of(operation.name)]


def _of_tokens(subject: Subject, _: Operation | None) -> Iterable[Variant]:
    return [
        Variant(f"{sample.operation}-{sample.case}", sample)
        for sample in subject.samples
        if sample.operation not in subject.operations and sample.operation not in subject.package.manifest.callbacks
    ]


@case(
    "samples",
    "has-samples",
    "للعملية عينة succeeded وعينة أخرى على الأقل.",
    "The operation has a sample `succeeded` and at least one more.",
)
async def has_samples(bench: Bench) -> None:
    """The live cases start from `succeeded`; a second sample shows how the institution says no."""
    bench.subject.sample(bench.name)
    require(
        len(bench.subject.samples_of(bench.name)) > 1,
        f"للعملية {bench.name} عينة واحدة فقط؛ أضف إلى samples/{bench.name}/‎ عينة رفض أو خطأ.",
        f"{bench.name} has one sample only; add one of a refusal or an error to samples/{bench.name}/.",
        Place(bench.subject.folder / "samples" / bench.name),
    )


@case(
    "samples",
    "sample",
    "الوثيقة الموحدة تعطي طلب العينة، وجواب العينة يعطي نتيجتها.",
    "The canonical document gives the sample's request, and the sample's answer gives its outcome.",
    variants=_own,
)
async def sample_holds_both_ways(bench: Bench) -> None:
    """XML is compared canonicalised; the rest as JSON."""
    sample: Sample = bench.variant.value
    wanted = sample.json("outcome.json")
    asked, came = await replay(bench.subject, sample)
    if wanted != _MAPPING_FAILED:
        require_sent(bench.subject, sample, asked, came)
        require_asked(sample, asked[0])
    require_outcome(bench.subject, sample, came, wanted)
    require(
        wanted != _MAPPING_FAILED or not asked,
        f"العينة {sample.case} تقول إن الطلب لا يُكتب، ومع ذلك أُرسل؛ صحح mapping/{sample.operation}.yaml.",
        f"The sample {sample.case} says that the request cannot be rendered, and yet it was sent; "
        f"mend mapping/{sample.operation}.yaml.",
        bench.subject.at(f"mapping/{sample.operation}.yaml", "request"),
    )


@case(
    "samples",
    "token-sample",
    "عينات جلب الرمز تصح في الاتجاهين، وبلا رمز لا تُرسل العملية.",
    "The token's samples hold both ways, and without a token the operation is not sent.",
    of_package=True,
    variants=_of_tokens,
)
async def token_sample_holds_both_ways(bench: Bench) -> None:
    """A token call is seen through another operation that needs it."""
    sample: Sample = bench.variant.value
    subject = bench.subject
    caller = next((other for other in subject.samples if other.operation in subject.operations), None)
    require(
        sample.operation in subject.package.manifest.operations and caller is not None,
        f"المجلد samples/{sample.operation}/‎ لا يخص عملية في manifest.toml؛ احذفه أو صحح اسمه.",
        f"samples/{sample.operation}/ belongs to no operation of manifest.toml; remove it or mend its name.",
        Place(sample.folder.parent),
    )
    caller = next(
        other for other in subject.samples if other.operation in subject.operations and other.case == SUCCEEDED
    )
    wanted = sample.json("outcome.json")
    async with bench.replayed(said_by(caller), said_by(sample)) as (server, connector):
        _, came = await heard(connector, caller.operation, caller.call())
    got = shown(came)
    require_outcome(subject, sample, came, {**got, **wanted})
    require(
        bool(server.asked) == ("error" not in wanted),
        "أُرسلت العملية مع أن الرمز لم يصل، أو لم تُرسل مع أنه وصل.",
        "The operation was sent although no token came, or was not sent although one came.",
        Place(sample.folder),
    )
    require_asked(sample, server.token_asked[0])


def require_sent(subject: Subject, sample: Sample, asked: list[Asked], came: Any) -> None:
    """A request reached the server."""
    if asked:
        return
    reason = str(came) if isinstance(came, ConnectorError) else ""
    if isinstance(came, NotSent):
        raise Failure(
            f"لم يُرسل شيء للعينة {sample.operation}/{sample.case}: {in_arabic(reason)}؛ راجع ‎[settings]‎ في "
            "sandbox.toml، و‎[authentication]‎ و‎[http]‎ في manifest.toml (يسمي trust إعداد السلطة التي تضمن شهادة الجهة).",
            f"Nothing was sent for the sample {sample.operation}/{sample.case}: {reason}; look at [settings] of "
            "sandbox.toml, and at [authentication] and [http] of manifest.toml (trust names the setting with the "
            "authority that vouches for the institution's certificate).",
            place_of(subject.folder / "sandbox.toml", "settings"),
        )
    raise Failure(
        f"لم يُرسل شيء للعينة {sample.operation}/{sample.case}: {in_arabic(reason)}؛ صحح "
        f"mapping/{sample.operation}.yaml (طلب يرفضه العقد، أو حقل إلزامي بلا قيمة).",
        f"Nothing was sent for the sample {sample.operation}/{sample.case}: {reason}; mend "
        f"mapping/{sample.operation}.yaml (the contract refuses the request, or a mandatory field has no value).",
        _place_in_mapping(subject, sample.operation, reason),
    )


def _place_in_mapping(subject: Subject, operation: str, reason: str) -> Place:
    """The line of the first field that the reason names, else the request's."""
    file = subject.folder / "mapping" / f"{operation}.yaml"
    if (named := _SECTION.search(reason)) is not None:
        return place_of(file, f"request.{named[0]}")
    words = [
        word for word in reason.replace("/", " ").replace(",", " ").split() if word.isidentifier() and len(word) > 2
    ]
    for word in reversed(words):
        for candidate in (file, file.with_name("_parts.yaml")):
            place = place_of_text(candidate, f"{word}:")
            if place.line is not None:
                return place
    return place_of(file, "request")


def require_asked(sample: Sample, asked: Asked) -> None:
    """The wire request is the sample's."""
    if sample.has("request.xml"):
        _require_xml(sample, asked)
        return
    wanted = sample.json("request.json")
    got = {
        "method": asked.method,
        "path": asked.path,
        "query": asked.own_query(),
        "headers": {name.lower(): value for name, value in asked.own_headers().items()},
        "body": asked.json(),
    }
    wanted = {**wanted, "headers": {name.lower(): value for name, value in wanted.get("headers", {}).items()}}
    _require_same(sample, sample.folder / "request.json", got, wanted)


def _require_xml(sample: Sample, asked: Asked) -> None:
    file = sample.folder / "request.xml"
    try:
        wanted = etree.fromstring(file.read_bytes())
    except etree.XMLSyntaxError as error:
        raise Failure(
            f"الملف request.xml في العينة {sample.case} ليس XML صحيحاً: {error.msg}",
            f"request.xml of the sample {sample.case} is not XML: {error.msg}",
            Place(file, error.lineno),
        ) from error
    difference = same_xml(asked.body, wanted)
    if difference is not None:
        path, got, want = difference
        raise Failure(
            f"الطلب المرسل يخالف request.xml عند {path}: العينة فيها {want}، والمرسل {got}؛ "
            f"صحح mapping/{sample.operation}.yaml أو العينة.",
            f"The request that was sent differs from request.xml at {path}: the sample has {want}, sent was {got}; "
            f"mend mapping/{sample.operation}.yaml or the sample.",
            place_of_text(file, f"<{path.rsplit('/', 1)[-1]}"),
        )


def require_outcome(subject: Subject, sample: Sample, came: Any, wanted: Any) -> None:
    """The outcome is the sample's."""
    got = shown(came)
    if got == wanted:
        return
    code = str(wanted.get("institution_code", "")) if isinstance(wanted, dict) else ""
    codes = subject.package.codes
    if code and not (codes.code(sample.operation, code) or codes.fault(sample.operation, code) or _means_doubt(wanted)):
        raise Failure(
            f"الرمز {code} في جواب العينة غير مدرج؛ أضفه تحت [codes.{sample.operation}] في codes.toml.",
            f"The code {code} of the sample's answer is not listed; add it under [codes.{sample.operation}] "
            "in codes.toml.",
            subject.at("codes.toml", f"codes.{sample.operation}"),
        )
    if isinstance(came, ConnectorError):
        raise Failure(
            f"جواب العينة لا يعطي outcome.json بل الخطأ {came.code}: {in_arabic(str(came))}",
            f"The sample's answer does not give outcome.json but the error {came.code}: {came}",
            Place(sample.folder / "outcome.json"),
        )
    _require_same(sample, sample.folder / "outcome.json", got, wanted)


def _means_doubt(wanted: Any) -> bool:
    """Whether the sample itself shows what an unlisted code becomes."""
    return bool(wanted.get("code") == UNLISTED_CODE)


def _require_same(sample: Sample, file: Path, got: Any, wanted: Any) -> None:
    difference = first_difference(got, wanted)
    if difference is None:
        return
    path, have, want = difference
    raise Failure(
        f"الملف {file.name} في العينة {sample.case} يخالف الواقع عند {path}: فيه {want}، والواقع {have}؛ "
        f"صحح mapping/{sample.operation}.yaml أو codes.toml أو العينة.",
        f"{file.name} of the sample {sample.case} differs at {path}: it has {want}, and what came is {have}; "
        f"mend mapping/{sample.operation}.yaml, codes.toml or the sample.",
        place_of(file, path),
    )
