"""What one process takes at once, and how much of it one channel may have."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from gateway import settings as settings_module
from gateway.api.admission import Admission
from gateway.errors import Problem
from gateway.security.principals import Kind, Principal

LIMITS = settings_module.load(environment={}).limits
WEB = Principal("web", Kind.CHANNEL, "web", frozenset(), ("*",), 2)
APP, OPERATOR = replace(WEB, id="app"), replace(WEB, id="op", kind=Kind.OPERATOR)


def admission(**limits: Any) -> Admission:
    return Admission(msgspec.structs.replace(LIMITS, **limits), lambda: 0.0)


def call(path: str = "/v1/requests") -> Any:
    return {"path": path, "state": {}}


def entered(door: Admission, whose: Principal) -> Any:
    scope = call()
    assert door.enter(scope)
    door.admit(scope, whose)
    return scope


def code_of(act: Any, *given: Any) -> str:
    with pytest.raises(Problem) as refused:
        act(*given)
    assert refused.value.retry_after_seconds
    return refused.value.code


def test_a22_a_channel_has_its_own_rate_and_others_have_theirs():
    door = admission(channel_calls_per_second=2)
    for _ in range(8):
        door.leave(entered(door, WEB))
    assert code_of(door.admit, call(), WEB) == "rate_limited"
    entered(door, APP)
    entered(door, OPERATOR)


def test_a22_a_channel_has_its_own_share_of_the_calls_at_once_and_gets_it_back():
    door = admission(channel_calls_at_once=2)
    first, _ = entered(door, WEB), entered(door, WEB)
    assert code_of(door.admit, call(), WEB) == "rate_limited"
    entered(door, APP)
    door.leave(first)
    entered(door, WEB)


def test_more_calls_than_the_process_takes_do_not_enter_but_for_those_who_watch():
    door = admission(calls_at_once=1)
    first = entered(door, WEB)
    assert not door.enter(call())
    assert door.enter(call("/health/ready"))
    door.leave(call("/health/ready"))
    door.leave(first)
    assert door.enter(call())


def test_bodies_are_counted_until_their_calls_are_over():
    door = admission(body_bytes=1000)
    one, other = entered(door, WEB), entered(door, APP)
    door.hold(one, 600)
    door.hold(one, 300)
    assert code_of(door.hold, other, 101) == "overloaded"
    door.hold(other, 100)
    door.leave(one)
    assert door.held_bytes == 100
    door.hold(other, 900)


def test_a_stream_gives_its_place_among_the_calls_back_and_is_counted_by_itself():
    door = admission(calls_at_once=1, channel_streams=1, streams=2)
    first = entered(door, WEB)
    door.stream(first)
    second = entered(door, WEB)
    assert code_of(door.stream, second) == "rate_limited"
    door.leave(second)
    door.stream(entered(door, APP))
    third = entered(door, replace(WEB, id="third"))
    assert code_of(door.stream, third) == "overloaded"
    door.leave(third)
    door.leave(first)
    door.stream(entered(door, WEB))
