"""What the institution sends by itself: it is read as its samples say, and only its signature is believed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from connectors.kit.callbacks import CallbackReader
from connectors.kit.conformance.bench import Bench, acted_id, heard
from connectors.kit.conformance.canned import Asked, Said, canned
from connectors.kit.conformance.case import Failure, Place, Skipped, Variant, case, require
from connectors.kit.conformance.compare import first_difference
from connectors.kit.conformance.subject import Sample, Subject
from connectors.kit.contract import CallbackSaid, Operation, Status
from connectors.kit.errors import ConnectorError
from connectors.kit.mapping_tools.called_back import MESSAGE, message_of, shown_callback
from connectors.kit.sandbox.callbacks import signature_headers
from connectors.kit.sandbox.document import load_document
from connectors.kit.sandbox.institution import Desk, sandbox_settings
from connectors.kit.sandbox.ledger import Ledger

_FINAL = (Status.SUCCEEDED, Status.REFUSED)


def _names(subject: Subject, _: Operation | None) -> Iterable[Variant]:
    return [Variant(name, name) for name in subject.package.manifest.callbacks]


def _samples(subject: Subject, _: Operation | None) -> Iterable[Variant]:
    return [Variant(f"{sample.operation}-{sample.case}", sample) for sample in subject.callback_samples]


def _sent(subject: Subject, _: Operation | None) -> Iterable[Variant]:
    """Those that the sandbox sends after some act."""
    try:
        declared = load_document(subject.folder).callbacks
    except ValueError:
        return []
    return [
        Variant(f"{name}-{operation}", (name, operation))
        for name in declared
        for operation in declared[name].operations
    ]


def _read(bench: Bench, name: str, raw: bytes, headers: dict[str, str]) -> CallbackSaid | ConnectorError:
    """What the message says, now."""
    settings = bench.subject.package.manifest.checked_settings(sandbox_settings(bench.subject.folder, 9))
    reader = CallbackReader(bench.subject.package, name, settings, lambda: datetime.now(UTC))
    try:
        return reader(raw, headers)
    except ConnectorError as error:
        return error


def _signed(bench: Bench, name: str, raw: bytes, *, seconds: float = 0.0) -> dict[str, str]:
    """The headers with which the institution sends it, `seconds` from now."""
    form = bench.subject.package.manifest.callbacks[name].signature
    if form is None:
        return {}
    desk = Desk(bench.subject.name, bench.subject.folder, Ledger(), sandbox_settings(bench.subject.folder, 9))
    desk.advanced = timedelta(seconds=seconds)
    return signature_headers(form, desk, raw)


def _mapping(bench: Bench, name: str) -> Place:
    return bench.subject.at(f"mapping/{name}.yaml", "answer")


@case(
    "callbacks",
    "callback-has-samples",
    "لكل إشعار ترسله الجهة عينة، ولكل رمز مدرج له عينة تظهره.",
    "Each callback has a sample, and each code that is listed for it is shown by one.",
    of_package=True,
    variants=_names,
)
async def callbacks_have_samples(bench: Bench) -> None:
    """What no sample shows was never tried."""
    name: str = bench.variant.value
    samples = [sample for sample in bench.subject.callback_samples if sample.operation == name]
    require(
        samples,
        f"الإشعار {name} بلا عينة؛ أضف samples/{name}/succeeded/‎ وفيه {MESSAGE} وoutcome.json.",
        f"The callback {name} has no sample; add samples/{name}/succeeded/ with {MESSAGE} and outcome.json.",
        Place(bench.subject.folder / "samples" / name),
    )
    shown_codes = {str(sample.json("outcome.json").get("institution_code", "")) for sample in samples}
    for code in bench.subject.codes().get("codes", {}).get(name, {}):
        require(
            code in shown_codes or any(f'"{code}"' in message_of(sample).decode() for sample in samples),
            f"الرمز {code} مدرج للإشعار {name} ولا تظهره عينة؛ أضف عينة.",
            f"The code {code} is listed for the callback {name} and no sample shows it; add one.",
            bench.subject.at("codes.toml", f'codes.{name}."{code}"'),
        )


@case(
    "callbacks",
    "callback-sample",
    "رسالة العينة تعطي نتيجتها، ورقم العملية التي تخصها.",
    "The sample's message gives its outcome, and the act that it is about.",
    of_package=True,
    variants=_samples,
)
async def a_sample_gives_its_outcome(bench: Bench) -> None:
    """Read as the gateway reads it, signed."""
    sample: Sample = bench.variant.value
    raw, wanted = message_of(sample), sample.json("outcome.json")
    came = _read(bench, sample.operation, raw, _signed(bench, sample.operation, raw))
    if (difference := first_difference(shown_callback(came), wanted)) is not None:
        path, value, want = difference
        raise Failure(
            f"رسالة العينة لا تعطي outcome.json: عند {path} فيها {want}، وجاء {value}؛ صحح "
            f"mapping/{sample.operation}.yaml أو codes.toml أو العينة.",
            f"The sample's message does not give outcome.json: at {path} it has {want}, and {value} came; mend "
            f"mapping/{sample.operation}.yaml, codes.toml or the sample.",
            Place(sample.folder / "outcome.json"),
        )


@case(
    "callbacks",
    "callback-signature",
    "لا يُصدَّق إلا ما وقعته الجهة الآن: تغيير بايت واحد أو توقيت قديم أو غياب التوقيع يبطل التصديق.",
    "Only what the institution signed just now is believed: one changed byte, an old time or no signature is not.",
    of_package=True,
    variants=_samples,
)
async def only_a_good_signature_is_believed(bench: Bench) -> None:
    """(A7) Where the manifest declares a signature."""
    sample: Sample = bench.variant.value
    name, raw = sample.operation, message_of(sample)
    form = bench.subject.package.manifest.callbacks[name].signature
    if form is None:
        raise Skipped(
            "لا توقيع معلن لهذا الإشعار، فليس أكثر من داعٍ إلى الاستعلام.",
            "No signature is declared for this callback, so that it is never more than a reason to inquire.",
        )
    good = _signed(bench, name, raw)
    tries: list[tuple[str, bytes, dict[str, str]]] = [
        ("no signature", raw, {}),
        ("a changed byte", raw[:-1] + b" }", good),
        ("a signature over something else", raw, _signed(bench, name, raw + b" ")),
    ]
    if "timestamp" in form.signed:
        away = form.tolerance_seconds + 60
        tries += [(f"{way} s", raw, _signed(bench, name, raw, seconds=way)) for way in (-away, away)]
    came = _read(bench, name, raw, good)
    require(
        isinstance(came, ConnectorError) or came.verified,
        f"توقيع صحيح لم يُصدَّق: {name}.",
        f"A good signature of {name} is not believed.",
        _mapping(bench, name),
    )
    for what, body, headers in tries:
        came = _read(bench, name, body, headers)
        require(
            isinstance(came, ConnectorError) or not came.verified,
            f"صُدِّق إشعار لا يصح توقيعه ({what}).",
            f"A callback was believed that must not be ({what}).",
            bench.subject.at("manifest.toml", f"callbacks.{name}.signature"),
        )


@case(
    "callbacks",
    "callback-is-never-final-by-accident",
    "إشعار مبتور أو برمز غير مدرج لا يصير نجاحاً ولا رفضاً.",
    "A callback that is cut, or has a code that is not listed, becomes neither a success nor a refusal.",
    of_package=True,
    variants=_samples,
)
async def a_broken_callback_is_never_final(bench: Bench) -> None:
    """(N5) Cut at every byte; and with another code in the place of its own."""
    sample: Sample = bench.variant.value
    name, raw = sample.operation, message_of(sample)
    code = str(sample.json("outcome.json").get("institution_code", ""))
    others = [raw[:size] for size in range(len(raw))]
    if code:
        others += [raw.replace(f'"{code}"'.encode(), b'"NOT_IN_ANY_CONTRACT"')]
    for body in others:
        came = _read(bench, name, body, {})
        if body != raw and isinstance(came, CallbackSaid) and came.outcome.status in _FINAL:
            raise Failure(
                f"إشعار مبتور أو برمز غير مدرج صار {came.outcome.status.value}؛ اجعل answer.code في "
                f"mapping/{name}.yaml يقرأ رمز الجهة نفسه.",
                f"A callback that is cut or has an unlisted code became {came.outcome.status.value}; let answer.code "
                f"in mapping/{name}.yaml read the institution's own code.",
                _mapping(bench, name),
            )


@case(
    "callbacks",
    "callback-arrives",
    "يرسل النظام التجريبي الإشعار قبل جوابه ومرتين وبلا توقيع، ويقرؤه الموصل كما هو.",
    "The sandbox sends the callback before its answer, twice, and unsigned, and the connector reads it for what it is.",
    of_package=True,
    variants=_sent,
)
async def callbacks_arrive_and_are_read(bench: Bench) -> None:
    """(D6, D7) After the act that sandbox.toml names, for whoever succeeds."""
    table, after = bench.variant.value
    declared = load_document(bench.subject.folder).callbacks[table]
    name = declared.sends or table
    acting = bench.on(bench.subject.operations[after])
    async with canned(Said(b"", status=204)) as receiver, acting.staged() as stage:
        stage.sandbox.control("POST", "callbacks", {"url": f"http://127.0.0.1:{receiver.port}/"})
        stage.sandbox.switch("callback_early", operation=name)
        call = await stage.ready()
        receiver.asked.clear()
        word, _ = await heard(stage.connector, after, call)
        early = [_heard_back(bench, name, asked) for asked in receiver.asked]
        if declared.if_ is not None and not early:
            raise Skipped(f"لا يُرسل بعد {word}.", f"It is not sent after {word}.")
        stage.sandbox.switch("callback_twice", operation=name)
        stage.sandbox.switch("callback_unsigned", operation=name)
        receiver.asked.clear()
        again = await stage.ready()
        await heard(stage.connector, after, again)
        twice = [_heard_back(bench, name, asked) for asked in receiver.asked]
        stage.sandbox.control("POST", "callbacks", {"url": ""})
    signs = bench.subject.package.manifest.callbacks[name].signature is not None
    for said, first, count, verified in ((early, call, 1, signs), (twice, again, 2, False)):
        about = {one.operation_id for one in said if isinstance(one, CallbackSaid)}
        good = [one for one in said if isinstance(one, CallbackSaid) and one.verified is verified]
        require(
            len(good) == count and about == {acted_id(first)},
            f"توقعنا الإشعار {name} {count} مرة عن {acted_id(first)}، وجاء: {_told(said)}.",
            f"{name} was expected {count} times about {acted_id(first)}; what came: {_told(said)}.",
            bench.subject.at("sandbox.toml", f"callbacks.{table}"),
        )


def _heard_back(bench: Bench, name: str, asked: Asked) -> CallbackSaid | ConnectorError:
    return _read(bench, name, asked.body, dict(asked.headers))


def _told(said: list[CallbackSaid | ConnectorError]) -> str:
    return "; ".join(map(_in_words, said)) or "-"


def _in_words(one: CallbackSaid | ConnectorError) -> str:
    return str(one) if isinstance(one, ConnectorError) else f"{one.operation_id} verified={one.verified}"
