"""D12, D13: a worker that hangs past its lease, and one that comes back at once."""

import signal

import pytest

from tests.faults.looking import Calling, kinds, payment_of, rows, stem_of, until_asked
from tests.gateways import QUICK, VEHICLE, GatewayProcess, until

#: The hang is longer than the lease and shorter than any deadline.
HANGING = QUICK | {"deadlines": {"syriatel_cash.confirm": 25, "education.submit": 25}}


@pytest.fixture
def ended():
    """Ends what is put into it, however the test ends."""
    nodes: list[GatewayProcess] = []
    yield nodes
    for node in nodes:
        node.end()


def answered_late(gateway, sandbox, request, ended):
    """The gateway is stopped by a signal while the wallet works on the request's payment; the call that waits for it."""
    wallet = sandbox("syriatel_cash")
    otp = wallet.otp(payment_of(request))
    wallet.switch("latency", 1500, operation="confirm", times=1)
    calling = Calling(lambda: gateway.act(request, {"otp": otp}, f"otp-{request['id']}"))
    until(lambda: wallet.calls("confirm") == 1, "the confirmation to arrive")
    gateway.process.send_signal(signal.SIGSTOP)
    ended.append(gateway)
    until(lambda: wallet.count(payment_of(request)) == 1, "the debit")
    return calling


def state_of(gateway, request):
    """As the database has it: the request's state, and the payment's attempt's."""
    query = "SELECT r.state, a.state FROM requests r JOIN attempts a ON a.request_id = r.id AND a.role = 'confirm'"
    ((state, attempt),) = rows(gateway, f"{query} WHERE r.id = '{request['id']}'")
    return state, attempt


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_d12_a_hung_payment_is_in_doubt_for_others_and_its_late_answer_is_kept_and_judged(make_gateway, sandbox, ended):
    gateway = make_gateway(dispatch=HANGING)
    gateway.start()
    request = until_asked(gateway, "d12")
    other = gateway.beside("other", program="worker")
    calling = answered_late(gateway, sandbox, request, ended)
    other.start()
    ended.append(other)
    until(lambda: state_of(other, request) == ("in_doubt", "in_doubt"), "a judgement by the other worker")
    assert '"event":"interrupted"' in other.log
    gateway.process.send_signal(signal.SIGCONT)
    gateway.until_state(request["id"], "completed")
    calling.end()
    wallet = sandbox("syriatel_cash")
    assert (wallet.calls("confirm"), wallet.count(payment_of(request))) == (1, 1), "asked once, debited once"
    assert sandbox("education").count(f"{stem_of(request)}-2") == 1
    query = f"SELECT e.fenced, e.source, e.status FROM evidence e JOIN attempts a ON a.id = e.attempt_id WHERE a.request_id = '{request['id']}' AND a.role = 'confirm' ORDER BY e.id"  # fmt: skip
    assert rows(gateway, query) == [
        (False, "error", "none"),
        (True, "answer", "succeeded"),
        (False, "answer", "succeeded"),
    ]
    assert '"verdict":"applied"' in gateway.log
    told = kinds(gateway, request)
    assert told.index("answer_lost") < told.index("advanced", told.index("answer_lost"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_d12_on_sqlite_nobody_else_may_open_the_database_so_a_hung_payment_only_takes_longer(
    make_gateway, sandbox, ended
):
    gateway = make_gateway(dispatch=HANGING)
    gateway.start()
    request = until_asked(gateway, "d12")
    calling = answered_late(gateway, sandbox, request, ended)
    other = gateway.beside("other")
    other.start(ready=False)
    ended.append(other)
    assert other.wait_dead() == 1
    assert "is owned by the running process" in other.log
    assert state_of(gateway, request) == ("in_progress", "sending")
    gateway.process.send_signal(signal.SIGCONT)
    gateway.until_state(request["id"], "completed")
    calling.end()
    wallet = sandbox("syriatel_cash")
    assert (wallet.calls("confirm"), wallet.count(payment_of(request))) == (1, 1)
    assert "answer_lost" not in kinds(gateway, request), "its generation still holds the job: nothing was in doubt"


def test_d13_what_a_worker_held_is_found_by_its_next_life_at_once_or_after_the_lease(make_gateway, sandbox):
    gateway, transport = make_gateway(), sandbox("transport")
    transport.switch("silence", operation="vehicle-statement")
    gateway.start()
    held = [gateway.submit(VEHICLE, f"d13-{number}").json() for number in range(3)]
    until(lambda: transport.count() == 3, "three acts whose answers do not come")
    gateway.kill()
    transport.switches_off()
    gateway.start()
    for one in held:
        gateway.until_state(one["id"], "completed")
        assert transport.count(f"{stem_of(one)}-0") == 1
    lives = rows(gateway, "SELECT count(*) FROM jobs WHERE claimed_by IS NOT NULL")
    assert lives == [(0,)]
    assert '"event":"leases_rescued"' in gateway.log
    with gateway.client() as http:
        page = http.get("/metrics").text
    assert "jisr_recovered_jobs 3.0" in page
    assert "jisr_recovery_seconds 0.0\n" not in page
