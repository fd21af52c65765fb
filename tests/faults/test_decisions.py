"""Two people decide about money: nobody alone, nothing that was not read, nothing twice, and only one of two at once."""

import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier

import pytest

from jisr import admin
from tests.faults.looking import Calling, certificate, payment_of, rows, until_asked
from tests.gateways import GatewayProcess, free_port, until

ROUNDS = 3
AT_ONCE = 4  #: Approve, and as many cancel.


@dataclass
class People:
    """Operators at a running gateway, by name."""

    gateway: GatewayProcess
    prefix: str
    keys: dict[str, str]

    def hire(self, name, *roles):
        self.keys[name] = self.gateway.add("operator", f"{self.prefix}-{name}", roles=list(roles))

    def command(self, what, name, **more):
        admin.call(self.gateway.settings(), f"operator.{what}", name=f"{self.prefix}-{name}", **more)

    def ask(self, who, path, body=None, at=None):
        with (at or self.gateway).client(self.keys[who]) as http:
            if body is None:
                return http.get(f"/v1/admin/{path}")
            return http.post(f"/v1/admin/{path}", json=body)

    def propose(self, request, action="not_done", who="maker", **more):
        body = {"action": action, "reason": "their books lack it", **more}
        answer = self.ask(who, f"doubts/{request['id']}/decisions", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def approve(self, proposal, who="checker", at=None, digest=None):
        path = f"decisions/{proposal['id']}/approve"
        return self.ask(who, path, {"digest": digest or proposal["digest"]}, at)

    def refuse(self, proposal, who, at=None):
        return self.ask(who, f"decisions/{proposal['id']}/refuse", {"reason": "no"}, at)


@pytest.fixture
def people(standing, request):
    hired = People(standing, request.node.name, {})
    hired.hire("maker", "maker", "checker")
    hired.hire("checker", "checker")
    return hired


def in_doubt(gateway, sandbox, key):
    """A request of whose payment the wallet says neither yes nor no; nothing was debited."""
    asked = until_asked(gateway, key, certificate(mobile="0930000099"))
    told = gateway.act(asked, {"otp": sandbox("syriatel_cash").otp(payment_of(asked))}, f"otp-{key}").json()
    assert told["state"] == "in_doubt", told
    return told


def refusal(answer):
    return answer.status_code, answer.json()["code"]


def untouched(gateway, request):
    return gateway.get(request["id"])["payment"]["state"] == "in_doubt"


def test_a13_whoever_proposes_cannot_approve_and_nobody_approves_what_was_edited_since(standing, sandbox, people):
    request = in_doubt(standing, sandbox, people.prefix)
    first = people.propose(request)
    assert refusal(people.approve(first, "maker")) == (403, "same_person")
    edited = people.propose(request, "done", replaces=first["id"])
    assert refusal(people.approve(first)) == (409, "decision_closed")
    assert refusal(people.approve(edited, digest=first["digest"])) == (409, "decision_changed")
    assert refusal(people.ask("maker", f"doubts/{request['id']}/decisions", {"action": "done", "reason": "x"})) == (
        *(409, "decision_open"),
    )
    assert untouched(standing, request)


def test_a13_an_approval_that_is_played_again_changes_nothing(standing, sandbox, people):
    request = in_doubt(standing, sandbox, people.prefix)
    proposal = people.propose(request)
    assert people.approve(proposal).status_code == 200
    asked = standing.until_state(request["id"], "awaiting_citizen")
    people.hire("third", "checker")
    assert [refusal(people.approve(proposal, who)) for who in ("checker", "third")] == [(409, "decision_closed")] * 2
    assert standing.get(request["id"])["next_action"] == asked["next_action"]
    told = rows(standing, "SELECT count(*) FROM evidence WHERE source = 'operator' AND attempt_id IN "
                f"(SELECT id FROM attempts WHERE request_id = '{request['id']}')")  # fmt: skip
    assert told == [(1,)]


def test_a13_a_role_or_a_key_that_is_taken_between_proposal_and_approval_no_longer_counts(standing, sandbox, people):
    request = in_doubt(standing, sandbox, people.prefix)
    people.hire("other", "maker")
    people.hire("gone", "checker")
    proposal = people.propose(request, who="other")
    assert people.ask("gone", "decisions").status_code == 200, "its key is remembered from now on"
    people.command("revoke", "gone")
    assert people.approve(proposal, "gone").status_code in (401, 403)
    people.command("roles", "checker", roles=[])
    assert refusal(people.approve(proposal)) == (403, "role_missing")
    people.command("roles", "other", roles=["checker"])
    assert refusal(people.approve(proposal, "maker")) == (409, "proposer_not_allowed")
    people.command("roles", "checker", roles=["checker"])
    people.command("roles", "other", roles=["maker"])
    people.command("revoke", "other")
    assert refusal(people.approve(proposal)) == (409, "proposer_not_allowed")
    assert untouched(standing, request)


@pytest.fixture
def doors(standing, tmp_path):
    """The gateway's processes: on PostgreSQL a second one beside the first, with the same database."""
    if standing.database_url.startswith("sqlite"):
        yield [standing, standing]
        return
    second = replace(standing, folder=tmp_path, port=free_port(), process=None)
    shutil.copy(standing.folder / "keyring.json", tmp_path)
    own = standing.config.read_text().replace(str(standing.folder), str(tmp_path))
    second.config.write_text(own.replace(f"port = {standing.port}", f"port = {second.port}"))
    try:
        second.start()
        yield [standing, second]
    finally:
        second.stop()


def test_d15_of_operators_who_approve_and_cancel_at_once_one_wins_and_the_others_are_told(
    standing, sandbox, people, doors
):
    for number in range(AT_ONCE):
        people.hire(f"c{number}", "checker")
    for round_ in range(ROUNDS):
        request = in_doubt(standing, sandbox, f"{people.prefix}-{round_}")
        proposal = people.propose(request)
        start = Barrier(2 * AT_ONCE)

        def call(number, proposal=proposal, start=start):
            act = people.approve if number % 2 else people.refuse
            start.wait()
            return act(proposal, f"c{number // 2}", doors[number % 4 // 2])

        with ThreadPoolExecutor(2 * AT_ONCE) as threads:
            answers = list(threads.map(call, range(2 * AT_ONCE)))

        won = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(won) == 1, [answer.text for answer in answers]
        lost = {refusal(answer) for answer in answers if answer.status_code != 200}
        assert lost <= {(409, "decision_closed"), (409, "conflict")}
        kept = people.ask("checker", f"decisions/{proposal['id']}").json()
        assert (kept["state"], kept["decided_by"]) == (won[0]["state"], won[0]["decided_by"])
        if kept["state"] == "approved":
            standing.until_state(request["id"], "awaiting_citizen")
        else:
            assert untouched(standing, request)


def test_c4_a_gateway_that_is_killed_over_a_decision_has_it_still_to_do_or_has_done_it_whole(make_gateway, sandbox):
    gateway = make_gateway()
    gateway.start(crash_at="decision.before_settle")
    people = People(gateway, "p", {})
    people.hire("maker", "maker")
    people.hire("checker", "checker")
    request = in_doubt(gateway, sandbox, "c4")
    proposal = people.propose(request)
    wallet = sandbox("syriatel_cash")
    sent = wallet.calls("initiate")

    def approved():
        """By now; while the job is still the dead one's, somebody else has it."""
        answer = people.approve(proposal)
        return answer if answer.status_code == 200 or answer.json()["code"] != "conflict" else None

    for next_point in ("settle.before_commit", ""):
        calling = Calling(lambda: until(approved, "an approval that reaches the point"))
        assert gateway.wait_dead() == -signal.SIGKILL, gateway.log[-2000:]
        calling.end()
        assert calling.broken
        gateway.start(crash_at=next_point)
        assert people.ask("checker", f"decisions/{proposal['id']}").json()["state"] == "proposed"
        assert untouched(gateway, request)

    assert until(approved, "the approval").status_code == 200
    asked = gateway.until_state(request["id"], "awaiting_citizen")
    assert asked["reason"]["code"] == "payment_not_made_by_decision"
    assert (wallet.calls("initiate"), wallet.count()) == (sent, 0), "no payment was begun or made by all that"
