"""Answers that are not of the contract: spoiled, of another shape, from elsewhere, too large, or "not now"."""

from collections.abc import Iterable

from connectors.kit.conformance.bench import Bench, Stage, heard
from connectors.kit.conformance.canned import Said, canned
from connectors.kit.conformance.case import Failure, Place, Skipped, Variant, case, require
from connectors.kit.conformance.cases_late import require_quiet, require_still_works
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation, Outcome
from connectors.kit.errors import ConnectorError, Redirected, Throttled, TooLarge, Unreadable

_ONE_HOUR = 3600
_SPOILED = ("html", "empty", "wrong_content_type", "wrong_charset", "bom")
_REDIRECTS = (301, 302, 303, 307, 308)
#: Status, Retry-After, and between which seconds the wish is heard.
_WISHES = {
    "seconds": (429, 7, 7, 7),
    "503": (503, 120, 120, 120),
    "date": (429, "Fri, 31 Dec 2100 23:59:59 GMT", _ONE_HOUR, _ONE_HOUR),
    "ten-years": (429, 315_360_000, _ONE_HOUR, _ONE_HOUR),
}


def _is_soap(subject: Subject, _: Operation) -> bool:
    return subject.kind == "soap"


def _named(*names: object) -> list[Variant]:
    return [Variant(str(name), name) for name in names]


async def _came(stage: Stage, mode: str, value: object = None) -> tuple[str, Outcome | ConnectorError]:
    call = await stage.ready()
    stage.sandbox.switch(mode, value, operation=stage.operation.name)
    return await heard(stage.connector, stage.operation.name, call)


def _mapping(bench: Bench) -> Place:
    return bench.subject.at(f"mapping/{bench.name}.yaml", "answer.code")


@case(
    "spoiled",
    "not-of-the-contract",
    "صفحة HTML أو جواب فارغ أو نوع أو ترميز خاطئ لا يُفهم جواباً، وتُحفظ بايتاته دليلاً.",
    "An HTML page, an empty body, a wrong type or charset is no answer, and its bytes are kept as evidence.",
    variants=lambda _, __: _named(*_SPOILED),
)
async def an_answer_that_is_not_of_the_contract_is_unreadable(bench: Bench) -> None:
    """(N6) Each with HTTP 200."""
    mode = bench.variant.name
    async with bench.staged() as stage:
        word, came = await _came(stage, mode)
        if not isinstance(came, Unreadable):
            raise Failure(
                f"جواب من نوع {mode} صار {word} بدل أن يُرفض.",
                f"An answer of the kind {mode} became {word} instead of being refused.",
                _mapping(bench),
            )
        kept = came.exchange is not None and 200 <= came.exchange.status < 300
        kept = kept and came.exchange is not None and bool(came.exchange.response) == (mode != "empty")
        require(
            kept and came.maybe_delivered,
            f"لم تُحفظ بايتات جواب من نوع {mode}.",
            f"The bytes of an answer of the kind {mode} were not kept.",
        )
        await require_still_works(stage)


@case(
    "spoiled",
    "faults-and-broken-servers",
    "لكل من خطأ الجهة وعطل الخادم وصفحة HTML اسم خاص، ولا شيء منها نهائي.",
    "A fault, a broken server and an HTML page have errors of their own, and none of them is final.",
)
async def faults_and_broken_servers_have_errors_of_their_own(bench: Bench) -> None:
    """(N7) The fault names no listed refusal."""
    async with bench.staged() as stage:
        words = []
        for mode, value in (("fault", None), ("status", 503), ("html", None)):
            call = await stage.ready()
            stage.sandbox.switch(mode, value, operation=bench.name, times=1)
            words.append((await heard(stage.connector, bench.name, call))[0])
    require(
        words[1:] == ["error:upstream_server_failed", "error:upstream_protocol"],
        f"عطل الخادم وصفحة HTML صارا {words[1]} و{words[2]}.",
        f"A broken server and an HTML page became {words[1]} and {words[2]}.",
        _mapping(bench),
    )
    require(
        words[0] == "error:upstream_fault" or words[0].startswith("in_doubt:"),
        f"خطأ الجهة غير المدرج صار {words[0]}؛ صحح codes.toml.",
        f"The institution's unlisted fault became {words[0]}; mend codes.toml.",
        bench.subject.at("codes.toml", f"codes.{bench.name}"),
    )


@case(
    "spoiled",
    "fault-at-any-status",
    "SOAP Fault غير مدرج ليس نهائياً، سواء جاء بـHTTP 200 أو 500.",
    "A SOAP Fault that is not listed is not final, with HTTP 200 as with 500.",
    applies=_is_soap,
    variants=lambda _, __: _named(200, 500),
)
async def a_fault_counts_at_any_status(bench: Bench) -> None:
    """(N7) The sandbox's own fault, served again with each status."""
    async with bench.staged() as stage:
        _, came = await _came(stage, "fault")
        call = await stage.ready()
    exchange = came.exchange
    if exchange is None:
        raise Skipped("لا خطأ في هذا النظام التجريبي.", "This sandbox has no fault to give.")
    said = Said(exchange.response, bench.variant.value, exchange.content_type)
    async with bench.replayed(said) as (_, connector):
        word, _ = await heard(connector, bench.name, call)
    require(
        word == "error:upstream_fault" or word.startswith("in_doubt:"),
        f"SOAP Fault مع HTTP {bench.variant.name} صار {word}.",
        f"A SOAP Fault with HTTP {bench.variant.name} became {word}.",
        bench.subject.at("codes.toml", "faults"),
    )


def _shapes(subject: Subject, _: Operation | None) -> Iterable[Variant]:
    return _named("wrong_element", "missing_element", *(["extra_element"] if subject.kind == "soap" else []))


@case(
    "spoiled",
    "other-shape",
    "جواب بعنصر آخر، أو ينقصه عنصر إلزامي، أو فيه عنصر لا يعرفه العقد، يُرفض.",
    "An answer with another element, without a mandatory one, or with one that the contract lacks, is refused.",
    variants=_shapes,
)
async def an_answer_of_another_shape_is_refused(bench: Bench) -> None:
    """(N8) Unknown keys of a JSON object are allowed; unknown elements of XML are not."""
    async with bench.staged() as stage:
        word, came = await _came(stage, bench.variant.name)
    require(
        isinstance(came, Unreadable),
        f"جواب من شكل آخر ({bench.variant.name}) قُبل وصار {word}؛ لا تجعل لـanswer.code بديلاً حين يغيب الرمز، "
        "واطلب مع حالة HTTP حقلاً لا يغيب: ‎(http.status >= `300` || answer.id != `null`) && to_string(http.status).",
        f"An answer of another shape ({bench.variant.name}) was accepted and became {word}; give answer.code "
        "no default for a missing code, and where the HTTP status is the code ask for a field that is always there: "
        "(http.status >= `300` || answer.id != `null`) && to_string(http.status).",
        _mapping(bench),
    )


@case(
    "spoiled",
    "redirect",
    "إعادة التوجيه فشل، ولا يُرسل شيء إلى العنوان الآخر.",
    "A redirect is a failure, and nothing goes to where it points.",
    variants=lambda _, __: _named(*_REDIRECTS),
)
async def a_redirect_is_a_failure(bench: Bench) -> None:
    """(N9) Another server listens there."""
    async with canned(Said(b"{}")) as elsewhere, bench.staged() as stage:
        target = f"http://127.0.0.1:{elsewhere.port}/elsewhere"
        word, came = await _came(stage, "redirect", {"url": target, "code": bench.variant.value})
        require(
            isinstance(came, Redirected) and elsewhere.asked == [],
            f"إعادة توجيه {bench.variant.name} صارت {word}.",
            f"A redirect {bench.variant.name} became {word}.",
        )


@case(
    "spoiled",
    "asked-later",
    "طلب الجهة أن تُسأل لاحقاً (429 أو 503 مع Retry-After) يُسمع، ولا يتجاوز ساعة.",
    "A wish to be asked later (429, or 503 with Retry-After) is heard, and capped at one hour.",
    variants=lambda _, __: [Variant(name, wish) for name, wish in _WISHES.items()],
)
async def a_wish_to_be_asked_later_is_heard(bench: Bench) -> None:
    """(N10) In seconds, as a date, and far too long."""
    code, wish, at_least, at_most = bench.variant.value
    async with bench.staged() as stage:
        word, came = await _came(stage, "status", {"code": code, "retry_after": wish})
    if not isinstance(came, Throttled):
        raise Failure(f"HTTP {code} صار {word}.", f"HTTP {code} became {word}.")
    seconds = came.retry_after_seconds
    require(
        came.maybe_delivered is False and seconds is not None and at_least <= seconds <= at_most,
        f"Retry-After {wish} فُهم {seconds} ثانية.",
        f"Retry-After {wish} was understood as {seconds} seconds.",
    )


@case(
    "spoiled",
    "too-large",
    "جواب أكبر من الحد يُقطع، مضغوطاً كان أو لا.",
    "An answer beyond the cap is cut, compressed or not.",
    variants=lambda _, __: _named("huge", "gzip_bomb"),
)
async def an_answer_beyond_the_cap_is_cut(bench: Bench) -> None:
    """(N11) Twice what the operation allows."""
    async with bench.staged() as stage:
        word, came = await _came(stage, bench.variant.name, bench.declared.max_response_bytes * 2)
        require(
            isinstance(came, TooLarge),
            f"جواب بضعف max_response_bytes صار {word}.",
            f"An answer of twice max_response_bytes became {word}.",
            bench.subject.at("manifest.toml", f"operations.{bench.name}.max_response_bytes"),
        )
        await require_quiet(stage)
        await require_still_works(stage)
