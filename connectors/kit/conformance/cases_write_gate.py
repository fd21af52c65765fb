"""The write gate: the connection is cut after the effect, and the declared effect must keep what it promises.

The oracle is the sandbox's ledger. `safe`: no effect. `idempotent`: a repeat with the same operation id acts once.
`inquirable`: the inquiry tells what was done. `none`: nothing is ever repeated.
"""

from uuid import uuid4

from connectors.kit.conformance.bench import Bench, Stage, acted_id, heard, say
from connectors.kit.conformance.case import Failure, Place, case, require
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Call, Effect, Operation
from connectors.kit.errors import ConnectionLost, ConnectorError

_DONE = ("succeeded", "pending", "refused")


def _writes(_: Subject, operation: Operation) -> bool:
    return operation.effect is not Effect.SAFE


def _reads(_: Subject, operation: Operation) -> bool:
    return operation.effect is Effect.SAFE


def _is_inquirable(_: Subject, operation: Operation) -> bool:
    return operation.effect is Effect.INQUIRABLE


def _declared(bench: Bench) -> Place:
    return bench.subject.at("manifest.toml", f"operations.{bench.name}.effect")


async def _lose_the_answer(stage: Stage, call: Call) -> None:
    """The institution acts, and no byte of its answer comes back."""
    name = stage.operation.name
    before = stage.sandbox.calls(name)
    stage.sandbox.switch("cut_after", operation=name, times=1)
    word, came = await heard(stage.connector, name, call)
    require(
        isinstance(came, ConnectionLost) and came.maybe_delivered,
        f"ضاع جواب {name}، وجاء {word} بدل ConnectionLost.",
        f"The answer of {name} was lost, and {word} came instead of ConnectionLost.",
    )
    times = stage.sandbox.calls(name) - before
    require(
        times == 1,
        f"أُرسل {name} {times} مرات مع أن جوابه ضاع؛ لا يُعاد شيء من تلقاء نفسه.",
        f"{name} was sent {times} times although its answer was lost; nothing is repeated by itself.",
    )


async def _count_in_the_end(stage: Stage, call: Call) -> int:
    """How often the act is in the ledger; a payment that was only begun is confirmed first."""
    if stage.operation.role in ("initiate", "resend"):
        confirming = stage.on(stage.other("confirm"))
        subject = Call(acted_id(call), call.document)
        word, _ = await heard(stage.connector, confirming.operation.name, confirming.following(subject))
        require(word == "succeeded", f"التأكيد بعده صار {word}.", f"The confirmation after it became {word}.")
    return stage.sandbox.count(acted_id(call))


@case(
    "write-gate",
    "lost-answer",
    "حين يضيع الجواب بعد الفعل يفي الأثر المعلن بوعده، ويظهر الفعل في السجل مرة واحدة.",
    "When the answer is lost after the act, the declared effect keeps its promise, and the ledger has the act once.",
    applies=_writes,
)
async def a_declared_effect_keeps_its_promise(bench: Bench) -> None:
    """(N4) Then the machine does what the effect allows."""
    async with bench.staged() as stage:
        call = await stage.ready()
        await _lose_the_answer(stage, call)
        if bench.declared.effect is Effect.IDEMPOTENT:
            await _repeat(bench, stage, call)
        elif bench.declared.effect is Effect.INQUIRABLE:
            await _inquire(bench, stage, call)
        _require_once(bench, await _count_in_the_end(stage, call))


async def _repeat(bench: Bench, stage: Stage, call: Call) -> None:
    word, _ = await heard(stage.connector, bench.name, call)
    require(
        word == bench.subject.good(bench.name),
        f"{bench.name} معلنة idempotent، ومع ذلك صار تكرارها بالرقم نفسه {word}؛ الصحيح أن يعود الجواب الأول.",
        f"{bench.name} is declared idempotent, and yet its repeat with the same operation id became {word}; "
        "the first answer should come again.",
        _declared(bench),
    )


async def _inquire(bench: Bench, stage: Stage, call: Call) -> None:
    asking = stage.on(stage.connector.operations[bench.declared.inquire or ""])
    word, _ = await heard(stage.connector, asking.operation.name, asking.following(call))
    require(
        word.split(":")[0] in _DONE,
        f"{bench.name} معلنة inquirable، والفعل في سجل الجهة، ومع ذلك أجاب الاستعلام {asking.operation.name}: "
        f"{word}؛ استعلام لا يقول الحقيقة يؤدي إلى فعل مكرر. راجع mapping/{asking.operation.name}.yaml وcodes.toml، "
        'أو أعلن الأثر "none".',
        f"{bench.name} is declared inquirable and the act is in the ledger, and yet the inquiry "
        f"{asking.operation.name} answered {word}; an inquiry that does not tell the truth leads to a second act. "
        f'Look at mapping/{asking.operation.name}.yaml and codes.toml, or declare the effect "none".',
        _declared(bench),
    )


def _require_once(bench: Bench, count: int) -> None:
    if count == 1:
        return
    effect = bench.declared.effect.value
    if count == 0:
        raise Failure(
            f"{bench.name} معلنة {effect}، ولم يظهر لها فعل في سجل الجهة برقم العملية؛ "
            "أرسل operation_id في الطلب، أو أعلن العملية قراءة (safe).",
            f"{bench.name} is declared {effect}, and the ledger shows no act under its operation id; "
            "send operation_id in the request, or declare the operation a read (safe).",
            _declared(bench),
        )
    raise Failure(
        f"{bench.name} معلنة {effect}، ولكن الجهة فعلتها {count} مرات للرقم نفسه؛ "
        'أعلن الأثر "inquirable" إن كان لها استعلام، وإلا "none".',
        f"{bench.name} is declared {effect}, but the institution acted {count} times for the same operation id; "
        'declare the effect "inquirable" if there is an inquiry, else "none".',
        _declared(bench),
    )


@case(
    "write-gate",
    "inquiry-about-nothing",
    "الاستعلام عن طلب لم يصل لا يقول إنه وصل.",
    "An inquiry about an act that never arrived does not say that it did.",
    applies=_is_inquirable,
)
async def an_inquiry_about_nothing_does_not_say_done(bench: Bench) -> None:
    """The connection is cut before the effect, or nothing was sent at all."""
    async with bench.staged() as stage:
        call = await stage.ready()
        stage.sandbox.switch("cut_before", operation=bench.name, times=1)
        await heard(stage.connector, bench.name, call)
        asking = stage.on(stage.connector.operations[bench.declared.inquire or ""])
        for subject in (call, Call(str(uuid4()), call.document)):
            word, _ = await heard(stage.connector, asking.operation.name, asking.following(subject))
            require(
                word.split(":")[0] not in ("succeeded", "pending"),
                f"الاستعلام {asking.operation.name} عن طلب لم يصل أجاب {word}؛ اجعل "
                f"mapping/{asking.operation.name}.yaml يرسل subject_operation_id، واجعل رمز «لا طلب كهذا» absent.",
                f"The inquiry {asking.operation.name} about an act that never arrived answered {word}; let "
                f"mapping/{asking.operation.name}.yaml send subject_operation_id, and list the code of an unknown "
                "request as absent.",
                bench.subject.at("codes.toml", f"codes.{asking.operation.name}"),
            )


@case(
    "write-gate",
    "read-is-not-repeated",
    "القراءة التي ضاع جوابها لا تُعاد من تلقاء نفسها.",
    "A read whose answer was lost is not repeated by the kit, also on a kept-alive connection.",
    applies=_reads,
)
async def a_read_is_not_repeated(bench: Bench) -> None:
    """(N4) HTTP clients like to resend a GET when a kept connection breaks."""
    async with bench.staged() as stage:
        call = await stage.ready()
        await say(stage.connector, bench.name, call)
        await _lose_the_answer(stage, call)


@case(
    "write-gate",
    "cut-before-the-effect",
    "حين ينقطع الاتصال قبل الفعل لا يحدث شيء، ويقول الموصل إنه لا يعلم.",
    "When the connection is cut before the effect nothing is done, and the connector says that it cannot know.",
    applies=_writes,
)
async def nothing_is_done_before_the_effect(bench: Bench) -> None:
    """The ledger stays as it was."""
    async with bench.staged() as stage:
        call = await stage.ready()
        stage.sandbox.switch("cut_before", operation=bench.name, times=1)
        before = stage.sandbox.count()
        word, came = await heard(stage.connector, bench.name, call)
        require(
            isinstance(came, ConnectionLost) and came.maybe_delivered,
            f"انقطع الاتصال قبل الفعل، وجاء {word}.",
            f"The connection was cut before the effect, and {word} came.",
        )
        require(
            stage.sandbox.count() == before and stage.sandbox.calls(bench.name) == 1,
            f"{bench.name} فُعلت أو أُعيدت مع أن الاتصال انقطع قبل الفعل.",
            f"{bench.name} was done or repeated although the connection was cut before the effect.",
            _declared(bench),
        )


@case(
    "write-gate",
    "safe-has-no-effect",
    "العملية المعلنة قراءة (safe) لا تترك أثراً في سجل الجهة.",
    "An operation that is declared safe leaves the ledger as it was.",
    applies=_reads,
)
async def a_safe_operation_has_no_effect(bench: Bench) -> None:
    """Called twice."""
    async with bench.staged() as stage:
        call = await stage.ready()
        before = stage.sandbox.count()
        for _ in range(2):
            _, came = await heard(stage.connector, bench.name, call)
            if isinstance(came, ConnectorError):
                raise Failure(
                    f"{bench.name} انتهت بخطأ: {came}", f"{bench.name} ended with an error: {came}", _declared(bench)
                )
        acts = stage.sandbox.count() - before
        require(
            acts == 0,
            f"{bench.name} معلنة safe، ومع ذلك فعلت الجهة شيئاً ({acts} في السجل)؛ أعلن أثرها ودورها الحقيقيين.",
            f"{bench.name} is declared safe, and yet the institution acted ({acts} in the ledger); "
            "declare its true effect and role.",
            _declared(bench),
        )
