"""Two servers and three workers on one PostgreSQL, one of which is killed: each act is done once."""

import pytest

from tests.faults.looking import rows, stem_of
from tests.gateways import VEHICLE, until

MANY = 40


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_two_servers_and_three_workers_share_the_work_and_do_everything_once(make_gateway, sandbox):
    first, transport = make_gateway(), sandbox("transport")
    second = first.beside("second")
    workers = [first.beside(f"worker{number}", program="worker") for number in range(3)]
    nodes = [first, second, *workers]
    try:
        for node in nodes:
            node.start()
        transport.switch("latency", 100, operation="vehicle-statement")
        ids = []
        for number in range(MANY):
            answer = (first, second)[number % 2].submit(VEHICLE, f"several-{number}")
            assert answer.status_code in (201, 202), answer.text
            ids.append(answer.json()["id"])
            if number == MANY // 2:
                workers[0].kill()
        until(
            lambda: rows(first, "SELECT count(*) FROM requests WHERE state = 'completed'") == [(MANY,)],
            "all of them to be completed",
            90,
        )
        hands = [node for node in nodes if '"event":"exchange"' in node.log]
        assert len(hands) >= 2, "the work was shared"
        counts = {row["operation_id"]: row["count"] for row in transport.effects()}
        assert counts == {f"{stem_of({'id': each})}-0": 1 for each in ids}, "0 lost, 0 twice"
    finally:
        for node in nodes:
            node.end()
