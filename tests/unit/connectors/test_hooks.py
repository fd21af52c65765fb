"""Python of a package: only for those that come with the program, and whatever it raises is a clear end of the call."""

import pytest

from connectors import registry
from connectors.kit.errors import MappingFailed, Unreadable
from connectors.registry import ManifestError, find_packages
from tests.unit.connectors.packages import MANIFEST, call, office, write_package
from tests.unit.connectors.raw_server import RawServer, says, wire
from tests.unit.connectors.rest_office import ACT, JSON, MAPPINGS, answer

#: An office that wants every body in a checked wrapper, and answers in one.
WRAPPER = '''
"""The office's wrapper: a checksum before each body."""

import dataclasses
import zlib

from connectors.kit.hooks import HttpRequest, PackageHooks


class Hooks(PackageHooks):
    def before_send(self, operation: str, request: HttpRequest) -> HttpRequest:
        if operation != "act":
            return request
        return dataclasses.replace(request, body=b"%08x" % zlib.crc32(request.body) + request.body)

    def after_receive(self, operation: str, answer: bytes) -> bytes:
        if operation != "act":
            return answer
        checksum, body = answer[:8], answer[8:]
        if int(checksum, 16) != zlib.crc32(body):
            raise ValueError("the checksum is wrong")
        return body
'''


@pytest.fixture
def in_the_tree(tmp_path, monkeypatch):
    """The test's folder counts as one that comes with the program."""
    monkeypatch.setattr(registry, "BUILT_IN", (tmp_path,))
    return tmp_path


def _package(root, text):
    folder = write_package(root, manifest=MANIFEST + ACT, mappings=MAPPINGS)
    (folder / "hooks.py").write_text(text, "utf-8")
    return folder


async def _send(folder, scripts, operation="act"):
    async with RawServer(scripts) as server:
        connector = office(folder, base_url=server.url)
        try:
            return await connector.send(connector.prepare(operation, call())), server.received
        except (MappingFailed, Unreadable) as error:
            return error, server.received
        finally:
            await connector.close()


def _checked(body):
    import zlib

    return b"%08x" % zlib.crc32(body) + body


async def test_a_hook_changes_what_is_sent_and_what_is_read_and_evidence_keeps_what_came(in_the_tree):
    raw = wire("200 OK", _checked(b'{"status": "done", "number": "7"}'), JSON)
    outcome, received = await _send(_package(in_the_tree, WRAPPER), [says(raw)])
    assert (outcome.status, outcome.reference) == ("succeeded", "7")
    assert received[0].body == _checked(received[0].body[8:])
    assert outcome.exchange.response.startswith(_checked(b'{"status": "done", "number": "7"}')[:8])


async def test_a_hook_may_leave_an_operation_alone(in_the_tree):
    outcome, _ = await _send(_package(in_the_tree, WRAPPER), [says(answer())], "look")
    assert outcome.status == "succeeded"


async def test_an_answer_that_a_hook_refuses_is_unreadable_and_kept(in_the_tree):
    error, _ = await _send(_package(in_the_tree, WRAPPER), [says(wire("200 OK", b'00000000{"status": "done"}', JSON))])
    assert isinstance(error, Unreadable)
    assert str(error) == "the hook after_receive failed (ValueError)"
    assert error.exchange is not None
    assert error.exchange.response == b'00000000{"status": "done"}'


async def test_a_hook_that_fails_before_sending_sends_nothing(in_the_tree):
    broken = WRAPPER.replace('if operation != "act":\n            return request', 'raise KeyError("secret 4711")')
    error, received = await _send(_package(in_the_tree, broken), [says(answer())])
    assert isinstance(error, MappingFailed)
    assert str(error) == "the hook before_send failed (KeyError)"
    assert received == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("class Hooks:\n    pass\n", "office/hooks.py: Hooks: the file has a class Hooks(PackageHooks)"),
        ("x = 1\n", "office/hooks.py: Hooks: the file has a class Hooks(PackageHooks)"),
        ("def f(:\n", "office/hooks.py: it cannot be loaded (SyntaxError: "),
        ("import no_such_module\n", "office/hooks.py: it cannot be loaded (ModuleNotFoundError: "),
    ],
)
def test_wrong_hooks_are_one_sentence_when_the_package_is_opened(in_the_tree, text, sentence):
    folder = _package(in_the_tree, text)
    with pytest.raises(ManifestError) as caught:
        office(folder, base_url="http://127.0.0.1:1")
    assert sentence in str(caught.value)


def test_a_package_outside_the_program_may_have_none_and_its_code_never_runs(tmp_path):
    trap = tmp_path / "it ran"
    folder = _package(tmp_path, f"open({str(trap)!r}, 'w').close()\n")
    with pytest.raises(ManifestError) as caught:
        find_packages([folder])
    assert str(caught.value) == ("office/hooks.py: a package outside the program is data and has no Python of its own")
    assert not trap.exists()
