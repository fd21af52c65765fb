"""The local socket: both sides, in one process."""

import asyncio
import socket
import stat

import pytest

from gateway.errors import Problem
from jisr.admin_socket import AdminSocket, answers, ask
from jisr.errors import CommandError


async def _run(name, arguments):
    match name:
        case "echo":
            return arguments
        case "refuse":
            raise CommandError("There is no such channel.")
        case "problem":
            raise Problem("not_found")
        case _:
            raise ZeroDivisionError("99000000017")


@pytest.fixture
async def path(tmp_path):
    place = tmp_path / "admin.sock"
    async with AdminSocket(place, _run):
        yield place


async def test_a_command_goes_there_and_its_result_comes_back(path):
    given = {"name": "نافذة", "services": ["*"]}

    assert await asyncio.to_thread(ask, path, "echo", given) == given


async def test_a_refusal_comes_back_as_its_sentence(path):
    with pytest.raises(CommandError, match="There is no such channel"):
        await asyncio.to_thread(ask, path, "refuse", {})
    with pytest.raises(CommandError, match="Nothing with this number"):
        await asyncio.to_thread(ask, path, "problem", {})


async def test_a_fault_of_the_server_is_told_without_its_message_and_the_server_lives_on(path):
    with pytest.raises(CommandError, match="ZeroDivisionError") as raised:
        await asyncio.to_thread(ask, path, "explode", {})

    assert "99000000017" not in str(raised.value)
    assert await asyncio.to_thread(ask, path, "echo", {}) == {}


@pytest.mark.parametrize("line", [b"not json\n", b"{}\n", b"[]\n", b'{"command": 5}\n'])
async def test_what_is_no_command_is_refused_and_the_server_lives_on(path, line):
    def send():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(line)
            with client.makefile("rb") as answer:
                return answer.readline()

    assert b'"ok":false' in await asyncio.to_thread(send)
    assert await asyncio.to_thread(ask, path, "echo", {}) == {}


async def test_only_the_owner_may_open_it(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_socket_that_a_killed_server_left_is_replaced(tmp_path):
    place = tmp_path / "admin.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    assert not answers(place)

    async with AdminSocket(place, _run):
        assert await asyncio.to_thread(answers, place)

    assert not place.exists()


async def test_a_folder_deeper_than_a_socket_address_may_be_is_no_obstacle(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)

    async with AdminSocket(deep / "admin.sock", _run):
        assert await asyncio.to_thread(ask, deep / "admin.sock", "echo", {"a": 1}) == {"a": 1}


def test_without_a_server_nobody_answers(tmp_path):
    assert not answers(tmp_path / "admin.sock")
    with pytest.raises(CommandError, match="does not answer"):
        ask(tmp_path / "admin.sock", "echo", {})
    assert list(tmp_path.iterdir()) == []
