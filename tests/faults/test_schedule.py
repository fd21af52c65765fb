"""D10 and D11: one leader of several processes, a leader that is stopped and goes on, and a node that was down."""

import json
import signal
import time
from collections import Counter

import pytest

from tests.faults.looking import rows
from tests.gateways import until

#: Each policy on a schedule of its own, every second.
CHANGES = "\n".join(
    f'[schedule.changes.{name}]\nevery_seconds = 1\ncatch_up = "{policy}"'
    for name, policy in {"reconcile": "each", "forget-keys": "once", "forget-callbacks": "skip"}.items()
)
LONG = 90.0  #: Three processes that start on a busy machine, and transactions that the server ends after 5 s each.
COLUMNS = 'schedule, fire_time, since, ticks, state, cause, "by", runs'


def fires(node, where="TRUE"):
    return rows(node, f"SELECT {COLUMNS} FROM fires WHERE {where} ORDER BY schedule, fire_time")


def ran(node):
    """What the process says that it ran."""
    lines = (json.loads(line) for line in node.log.splitlines() if '"schedule_ran"' in line)
    return [(line["schedule"], line["due_at"]) for line in lines]


def stopped_where_the_server_sees_it(node):
    """Stop the process; go on and say False if it was preparing a statement in a transaction.

    There PostgreSQL takes it for busy, and frees its rows after a minute only (gateway/store/postgres.py).
    """
    node.process.send_signal(signal.SIGSTOP)
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    if rows(node, f"{query} AND state = 'active' AND wait_event = 'ClientRead' AND xact_start IS NOT NULL"):
        node.process.send_signal(signal.SIGCONT)
        return False
    return True


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_d10_a_leader_stopped_over_two_leases_changes_nothing_and_every_tick_runs_once(make_gateway):
    debug = {"JISR_LOG__LEVEL": "debug"}
    first = make_gateway(program="worker", more=CHANGES)
    others = [first.beside(name) for name in ("second", "third")]
    try:
        first.start(**debug)
        until(lambda: ran(first), "the first one to lead")
        for other in others:
            other.start(**debug)
        until(lambda: stopped_where_the_server_sees_it(first), "the leader to be stopped")
        moment, worker = max((row[1], row[6]) for row in fires(first, "state <> 'due'"))
        begun = set(fires(first, "state = 'running'"))
        until(lambda: not begun & set(fires(first)), "another one to take over what it had begun", LONG)
        until(lambda: len(fires(first, f"schedule = 'reconcile' AND fire_time > {moment}")) >= 5, "two leases to pass")
        before = fires(first, "state IN ('succeeded', 'skipped', 'failed')")
        mine = ran(first)
        first.process.send_signal(signal.SIGCONT)
        until(lambda: '"schedule_lost_the_lead"' in first.log, "it to be told", LONG)
        assert [row for row in fires(first) if row in before] == before
        newest = max(row[1] for row in before)
        until(
            lambda: len(fires(first, f"schedule = 'reconcile' AND fire_time > {newest}")) >= 3, "some more ticks", LONG
        )
    finally:
        for node in (first, *others):
            node.end()
    done = Counter(each for node in (first, *others) for each in ran(node))
    assert len(done) > 10
    assert set(done.values()) == {1}, "every tick ran once"
    assert ran(first) == mine, "it runs nothing any more"
    later = {row[6] for row in fires(first, f"state = 'succeeded' AND fire_time > {moment}")}
    assert worker not in later
    assert later


def test_d11_a_node_that_was_down_over_three_ticks_accounts_for_every_one_as_configured(make_gateway):
    node = make_gateway(more=CHANGES)
    node.start()
    names = "schedule IN ('reconcile', 'forget-keys', 'forget-callbacks')"
    until(lambda: len({row[0] for row in fires(node, f"{names} AND state = 'succeeded'")}) == 3, "all of them to run")
    node.kill()
    last = max(row[1] for row in fires(node, names))
    until(lambda: time.time() * 1000 > last + 4000, "three ticks to pass")
    node.start()
    back = last + 5000
    until(lambda: len(fires(node, f"{names} AND fire_time > {back} AND state = 'succeeded'")) >= 6, "it to go on")
    assert node.stop() == 0, node.log[-2000:]
    for schedule in ("reconcile", "forget-keys", "forget-callbacks"):
        told = fires(node, f"schedule = '{schedule}'")
        assert [row[2] for row in told[1:]] == [row[1] + 1000 for row in told[:-1]], "every tick has its row"
        assert all(row[1] - row[2] == (row[3] - 1) * 1000 for row in told)
        missed = [row for row in told if last < row[2] <= last + 4000]
        states = Counter(
            {state: sum(row[3] for row in missed if row[4] == state) for state in {row[4] for row in missed}}
        )
        if schedule == "reconcile":
            assert set(states) == {"succeeded"}, "each of them ran"
            assert states["succeeded"] >= 3
        else:
            assert states["skipped"] >= 2, "they are noted, not run"
