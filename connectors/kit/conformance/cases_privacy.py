"""What a connector logs, what its errors say and what stands in an address holds nothing personal and no secret."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.kit.conformance.bench import Bench, Stage, heard
from connectors.kit.conformance.case import Failure, case
from connectors.kit.conformance.replay import replay
from connectors.kit.contract import Call
from connectors.kit.errors import ConnectorError

_WAYS = (
    (None, None), ("fault", None), ("html", None), ("empty", None), ("cut_after", None), ("truncate", 40),
    ("status", 500), ("wrong_element", None), ("missing_element", None), ("wrong_charset", None), ("redirect", "http://127.0.0.1:9/"),
    ("token_expired", None),
)  # fmt: skip
_SHORTEST_SECRET = 8
_SHORTEST = 3  # a shorter word stands by accident in any text


@case(
    "privacy",
    "silence-of-logs-and-errors",
    "لا سطر سجل ولا نص خطأ يقول من طلب أو بأي سر.",
    "No line of the log and no error tells who asked, or with which secret.",
    alone=True,
)
async def no_error_path_tells_who_asked(bench: Bench) -> None:
    """(A17) Every way in which a call can fail, with the log of the whole process at its most talkative."""
    said: list[str] = []
    with _listening() as told:
        async with bench.staged() as stage:
            call = await stage.ready()
            for mode, value in _WAYS:
                if mode is not None:
                    stage.sandbox.switch(mode, value, operation=bench.name, times=1)
                _, result = await heard(stage.connector, bench.name, call)
                if isinstance(result, ConnectorError):
                    said += [str(result), repr(result), *(repr(cause) for cause in _chain_of(result))]
                stage.sandbox.switches_off()
            forbidden = _forbidden(stage, call)
    text = "\n".join([*told, *said])
    for what, word in forbidden:
        if word in text and what.startswith("settings.") and len(word) < _SHORTEST_SECRET:
            raise Failure(
                f"السر {what} في sandbox.toml أقصر من أن يُميَّز عن كلمات أخرى في سجل؛ اجعله {_SHORTEST_SECRET} محارف "
                "أو أكثر.",
                f"The secret {what} in sandbox.toml is too short to be told from other words in a log; let it have "
                f"{_SHORTEST_SECRET} letters or more.",
                bench.subject.at("sandbox.toml", what),
            )
        if word in text:
            raise Failure(
                f"في سجل أو نص خطأ من {bench.name} شيء لا يجوز: {what}؛ لا تضع قيمة شخصية في answer.code.",
                f"A log line or an error of {bench.name} holds what it must not: {what}; put nothing personal into "
                "answer.code.",
                bench.subject.at(f"mapping/{bench.name}.yaml", "answer.code"),
            )


def _forbidden(stage: Stage, call: Call) -> list[tuple[str, str]]:
    """(what it is, the value) of everything personal and secret in this call."""
    found = personal(call.document)
    found += [(f"secrets.{name}", value) for name, value in call.secrets.items()]
    secret = {name for name, setting in stage.subject.package.settings.items() if setting.secret}
    found += [(f"settings.{name}", str(value)) for name, value in stage.sandbox.settings.items() if name in secret]
    return found


def personal(document: Any) -> list[tuple[str, str]]:
    """(path, value) of what tells who the applicant and the payer are."""
    applicant, payer = document.get("applicant") or {}, document.get("payer") or {}
    found = [(f"applicant.name.{part}", value) for part, value in (applicant.get("name") or {}).items()]
    found += [(f"applicant.{key}", applicant[key]) for key in ("national_number", "mobile") if applicant.get(key)]
    found += [("payer.mobile", payer["mobile"])] if payer.get("mobile") else []
    return [(what, str(value)) for what, value in found if len(str(value)) >= _SHORTEST]


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Everything that is logged meanwhile, at every level."""
    told: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    handler, root = Keep(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield told
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _chain_of(error: BaseException) -> list[BaseException]:
    """Everything that a traceback would show with it."""
    chain: list[BaseException] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return chain


@case(
    "privacy",
    "nothing-personal-in-the-address",
    "لا شيء شخصي في عنوان الطلب (المسار والاستعلام)، فالوسطاء والسجلات تحفظ العناوين.",
    "Nothing personal stands in the request's address (path and query), because proxies and logs keep addresses.",
)
async def nothing_personal_stands_in_the_address(bench: Bench) -> None:
    """Unless the manifest says that the institution's contract wants it there."""
    for sample in bench.subject.samples_of(bench.name):
        asked, _ = await replay(bench.subject, sample)
        document = sample.call().document
        for request in asked:
            address = "\n".join([request.path, *map(str, request.query.values())])
            for what, value in personal(document):
                if value in address or value.lstrip("+") in address:
                    _refuse(bench, what)


def _refuse(bench: Bench, what: str) -> None:
    operation = bench.subject.package.manifest.operations[bench.name]
    if what in operation.personal_in_address:
        return
    raise Failure(
        f"{what} يقف في عنوان الطلب (المسار أو الاستعلام)، والوسطاء وسجلات الخوادم تحفظ العناوين؛ انقله إلى جسم الطلب. "
        f'إن كان عقد الجهة يفرضه فصرّح به في manifest.toml: ‎personal_in_address = ["{what}"].',
        f"{what} stands in the request's address (path or query), and proxies and servers log addresses; move it into "
        f"the body. If the institution's contract wants it there, declare it in manifest.toml: personal_in_address = "
        f'["{what}"].',
        bench.subject.at(f"mapping/{bench.name}.yaml", "request.query"),
    )
