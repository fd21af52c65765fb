"""Test persons get the outcome that persons.toml promises, and everybody else succeeds, against the live sandbox."""

from collections.abc import Iterable

from connectors.kit.conformance.bench import Bench, heard
from connectors.kit.conformance.case import Variant, case, require
from connectors.kit.conformance.subject import Subject
from connectors.kit.contract import Operation, Outcome
from connectors.kit.errors import ConnectorError
from connectors.kit.sandbox.institution import Person


def _expected(subject: Subject, operation: Operation | None) -> Iterable[Variant]:
    assert operation is not None
    return [Variant(person.outcome, person) for person in subject.persons if operation.name in person.expect]


@case(
    "persons",
    "person",
    "شخص الاختبار ينال النتيجة التي يعد بها persons.toml.",
    "A test person gets the outcome that persons.toml promises.",
    variants=_expected,
)
async def a_test_person_gets_the_promised_outcome(bench: Bench) -> None:
    """Call after call, when several are promised."""
    person: Person = bench.variant.value
    wanted = list(person.expect[bench.name])
    async with bench.staged() as stage:
        call = await stage.ready(person.key)
        came = [(await heard(stage.connector, bench.name, call))[0] for _ in wanted]
    require(
        came == wanted,
        f"الشخص {person.key} ({person.outcome}): الموعود {', '.join(wanted)}، وجاء {', '.join(came)}.",
        f"Person {person.key} ({person.outcome}): {', '.join(wanted)} was promised, and {', '.join(came)} came.",
        bench.subject.at("persons.toml", f'persons."{person.key}".expect'),
    )


@case(
    "persons",
    "persons-promise-something",
    "كل شخص اختبار يعد بنتيجة لعملية موجودة.",
    "Every test person promises something of an operation that exists.",
    of_package=True,
)
async def persons_promise_something(bench: Bench) -> None:
    """A person without a promise proves nothing."""
    for person in bench.subject.persons:
        unknown = set(person.expect) - set(bench.subject.operations)
        require(
            person.expect and not unknown,
            f"الشخص {person.key} بلا expect، أو يذكر عملية غير موجودة ({', '.join(sorted(unknown))}).",
            f"Person {person.key} has no expect, or names an operation that does not exist "
            f"({', '.join(sorted(unknown))}).",
            bench.subject.at("persons.toml", f'persons."{person.key}"'),
        )


@case(
    "persons",
    "anybody-else-succeeds",
    "من ليس شخص اختبار ينجح، وتُحفظ بايتات الجواب.",
    "Anybody else succeeds, and the bytes of the answer are kept.",
)
async def anybody_else_succeeds(bench: Bench) -> None:
    """The applicant of the sample `succeeded`."""
    async with bench.staged() as stage:
        word, came = await heard(stage.connector, bench.name, await stage.ready())
    reason = str(came) if isinstance(came, ConnectorError) else came.institution_code
    require(
        word == bench.subject.good(bench.name),
        f"صاحب العينة succeeded لم ينجح أمام النظام التجريبي: {word}. ({reason})",
        f"The applicant of the sample `succeeded` does not succeed with the sandbox: {word}. ({reason})",
        bench.subject.at(f"mapping/{bench.name}.yaml", "request"),
    )
    require(
        isinstance(came, Outcome) and came.exchange is not None and came.exchange.response,
        "ضاعت بايتات الجواب.",
        "The bytes of the answer were not kept.",
    )
