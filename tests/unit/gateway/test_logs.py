"""The log: allow-listed keys, harmless values, one line for each step."""

import asyncio
import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.logs import ALLOWED, configure, correlation, escape, log
from gateway.settings import LogSettings

CANARIES = {
    "national_number": "99000000017",
    "name": "CANARY-سلمى",
    "otp": "CANARY-123456",
    "token": "CANARY-token",
    "key": "CANARY-key",
    "authorization": "Bearer CANARY",
    "mobile": "+963993001234",
}


@pytest.fixture
def lines():
    """What was logged since, parsed; the configuration of the process is put back afterwards."""
    stream = io.BytesIO()
    before = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    configure(LogSettings(format="json", level="debug"), stream)

    def read():
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    structlog.configure(**before[0])
    vars(log).pop("bind", None)
    logging.getLogger().handlers, logging.getLogger().level = before[1], before[2]
    logging.captureWarnings(capture=False)


def test_a_line_carries_time_level_event_and_the_request_that_it_belongs_to(lines):
    token = correlation.set("c1")
    log.info("settled", request_id="r1", state="completed", milliseconds=12)
    correlation.reset(token)

    [line] = lines()

    assert list(line)[:3] == ["at", "level", "event"]
    assert line["at"].endswith("Z")
    expected = {"request_id": "r1", "correlation": "c1", "state": "completed", "milliseconds": 12}
    assert expected.items() <= line.items()


def test_a17_a_key_that_is_not_listed_is_dropped_with_its_value(lines):
    log.info("accepted", **CANARIES)

    assert set(lines()[0]) == {"at", "level", "event"}


def test_a17_no_key_of_the_list_is_made_for_what_a_person_is_or_types():
    assert ALLOWED.isdisjoint({*CANARIES, "password", "secret", "body", "input", "applicant", "message", "payer"})


def test_a17_a_national_number_in_an_allowed_value_is_masked(lines):
    log.info(
        "answered", path="/v1/requests/99000000017", reason="٩٩٠٠٠٠٠٠٠١٧", count=99000000017, names=["x99000000017"]
    )

    line = lines()[0]

    assert line["path"] == "/v1/requests/(number)"
    assert (line["reason"], line["count"], line["names"]) == ("(number)", "(number)", ["x(number)"])


def test_a17_ids_keep_their_digits(lines):
    log.info("accepted", request_id="01999999-9999-7999-8999-999999999999", due_at=1_790_000_000_000)

    assert lines()[0]["request_id"] == "01999999-9999-7999-8999-999999999999"
    assert lines()[0]["due_at"] == 1_790_000_000_000


def test_a17_an_exception_is_told_by_class_and_place_and_never_by_its_message(lines):
    try:
        raise ValueError(CANARIES["national_number"])  # noqa: TRY301 - it is the case
    except ValueError:
        log.exception("could_not")

    line = lines()[0]

    assert line["error_kind"] == "ValueError"
    assert line["where"].startswith("gateway/test_logs.py:")
    assert CANARIES["national_number"] not in json.dumps(line)


def test_a17_what_a_library_says_is_told_without_its_arguments(lines):
    logging.getLogger("zeep.transports").warning("POST %s %s", CANARIES["name"], CANARIES["otp"])
    logging.getLogger("zeep.transports").error(f"f-string {CANARIES['name']}")  # noqa: G004 - libraries do

    assert [line["event"] for line in lines()] == ["library_message", "library_message"]
    assert "CANARY" not in json.dumps(lines())


def test_a17_an_object_is_told_by_its_type_alone(lines):
    class Person:
        def __repr__(self):
            return CANARIES["name"]

    log.info("accepted", state=Person(), code={"name": CANARIES["name"]}, lane=b"CANARY")

    assert (lines()[0]["state"], lines()[0]["code"], lines()[0]["lane"]) == ("Person", "dict", "bytes")


@pytest.mark.parametrize("format_", ["json", "console"])
@given(text=st.text())
def test_a17_no_value_forges_a_line_or_drives_a_terminal(format_, text):
    stream = io.BytesIO()
    logger = _logger(format_, stream)

    logger.info("accepted", state=text + "\r\n\x1b[2J\u202e\x85\u2028")

    written = stream.getvalue().decode("utf-8")
    assert written.count("\n") == 1
    assert not any(character in written for character in "\r\x1b\x85\u2028\u202e\x00")


@given(text=st.text())
def test_a17_what_is_harmless_is_written_as_it_is(text):
    assert all(character.isprintable() or character.isspace() or ord(character) > 0x9F for character in escape(text))
    assert escape("جسر bridge") == "جسر bridge"


def test_a_long_value_is_cut(lines):
    log.info("accepted", state="x" * 5000)

    assert len(lines()[0]["state"]) == 301


def test_below_the_level_nothing_is_written():
    stream = io.BytesIO()

    _logger("json", stream, level="warning").info("accepted")

    assert stream.getvalue() == b""


def test_on_a_terminal_a_line_reads_like_one():
    stream = io.BytesIO()

    _logger("console", stream).info("request_accepted", request_id="r1", state="accepted")

    text = stream.getvalue().decode()
    assert "info" in text
    assert "request accepted" in text
    assert "request_id=r1  state=accepted" in text


def _logger(format_, stream, level="info"):
    """A logger of its own: the processors that `configure` would use, without touching the process."""
    before = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    configure(LogSettings(format=format_, level=level), stream)
    chosen = structlog.get_config()
    structlog.configure(**before[0])
    logging.getLogger().handlers, logging.getLogger().level = before[1], before[2]
    logging.captureWarnings(capture=False)
    return structlog.wrap_logger(
        chosen["logger_factory"](), processors=chosen["processors"], wrapper_class=chosen["wrapper_class"]
    )


async def test_the_lines_of_one_turn_are_written_together_in_their_order(lines):
    log.info("accepted")
    log.info("settled")
    assert lines() == []

    await asyncio.sleep(0)

    assert [line["event"] for line in lines()] == ["accepted", "settled"]


async def test_a_warning_is_written_at_once_after_what_waited(lines):
    log.info("accepted")
    log.warning("fenced")

    assert [line["event"] for line in lines()] == ["accepted", "fenced"]


async def test_a_line_of_another_thread_does_not_wait_for_the_loop(lines):
    await asyncio.to_thread(log.info, "accepted")

    assert [line["event"] for line in lines()] == ["accepted"]


def test_lines_that_a_loop_left_behind_are_written_by_the_next(lines):
    first = asyncio.new_event_loop()
    first.call_soon(lambda: (first.stop(), log.info("accepted")))  # it stops before it could write
    first.run_forever()
    first.close()
    assert lines() == []

    async def later():
        log.info("settled")
        await asyncio.sleep(0)

    asyncio.run(later())

    assert [line["event"] for line in lines()] == ["accepted", "settled"]
