"""The sandboxes themselves: processes that start, refuse and end cleanly, and institutions that check who speaks."""

import base64
import hashlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.contract import Call
from connectors.kit.tls import tls_context
from tests.conformance.live import acted_id, staged
from tests.conformance.packages import PACKAGES, base_document, heard, manifest_of, opened, say
from tests.sandboxes import ROOT, SandboxProcess, start_sandbox, stop_sandbox

NAMES = [name for name, package in PACKAGES.items() if (package.folder / "sandbox.toml").is_file()]
OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"


def run_sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Start one that should end by itself."""
    command = [sys.executable, "-m", "connectors.kit.sandbox", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "sigint"])
def test_a_sandbox_ends_cleanly_also_while_a_caller_waits(number) -> None:
    sandbox = start_sandbox("transport")
    sandbox.switch("silence")
    waiting = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=20)
    waiting.request("POST", "/oauth2/token", "grant_type=client_credentials")
    while sandbox.control("GET", "health")["in_flight"] == 0:
        os.sched_yield()
    assert stop_sandbox(sandbox, number) == 0
    waiting.close()


def test_a_port_in_use_is_one_sentence(sandbox) -> None:
    ended = run_sandbox("transport", "--port", str(sandbox("transport").port))
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert "cannot listen on 127.0.0.1" in ended.stderr


def test_an_unknown_institution_is_one_sentence() -> None:
    ended = run_sandbox("nobody", "--port", "0")
    assert (ended.returncode, ended.stderr) == (1, "no connector named 'nobody' has a sandbox.toml\n")


async def test_the_ledger_and_what_was_submitted_survive_a_kill(tmp_path) -> None:
    ledger = tmp_path / "education.jsonl"
    document = base_document("education", "submit")
    first = start_sandbox("education", ledger=ledger)
    try:
        async with opened("education", first.port) as connector:
            assert (await heard(connector, "submit", Call(document["operation_id"], document)))[0] == "succeeded"
    finally:
        stop_sandbox(first, signal.SIGKILL)
    second = start_sandbox("education", ledger=ledger)
    try:
        assert second.count(document["operation_id"]) == 1
        asking = {**document, "operation_id": "another", "subject_operation_id": document["operation_id"]}
        async with opened("education", second.port) as connector:
            assert (await heard(connector, "inquire", Call("another", asking)))[0] == "succeeded"
    finally:
        stop_sandbox(second)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_stands_alone(sandbox, name) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox(name).port, timeout=10)
    connection.request("GET", "/_sandbox/")
    page = connection.getresponse().read().decode()
    connection.close()
    assert name in page
    assert "http://" not in page
    assert "https://" not in page
    assert "الأفعال" in page


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("switches", b'{"mode": "explode"}', "mode is one of"),
        ("switches", b"{", "DecodeError"),
        ("acts", b'{"action": "dance"}', "dance"),
        ("acts", b"[]", "TypeError"),
        ("clock", b'{"advance_seconds": "soon"}', "TypeError"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_control_call_is_refused_with_its_reason(sandbox, name, path, body, reason) -> None:
    status, text = post(sandbox(name), f"/_sandbox/{path}", body)
    assert status == 400
    assert reason in json.loads(text)["error"]


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b"null", b"<a>", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000]
)
@pytest.mark.parametrize("name", NAMES)
def test_nonsense_on_the_wire_never_breaks_a_sandbox(sandbox, name, body) -> None:
    process = sandbox(name)
    manifest = manifest_of(name)
    wires = {operation["wire"].split(" ", 1)[-1] for operation in manifest["operations"].values()}
    paths = {manifest["soap"]["path"]} if manifest["kind"] == "soap" else wires
    declared = PACKAGES[name].manifest
    tls = tls_context(declared, declared.checked_settings(process.settings))
    for path in paths:
        status, text = post(process, path, body, tls)
        assert text
        assert "Traceback" not in text
        assert "500 Internal Server Error" not in text
        assert status in (200, 400, 401, 404, 422, 500)
    assert process.effects() == []


def envelope(sandbox: SandboxProcess, *, created: datetime, nonce: bytes, password: str = "", user: str = "") -> bytes:
    """An inquiry with a UsernameToken made by hand, so that the sandbox's own checks are tested."""
    text = created.isoformat()
    secret = password or sandbox.settings["password"]
    digest = base64.b64encode(hashlib.sha1(nonce + text.encode() + secret.encode()).digest()).decode()
    return f"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
      <w:Security xmlns:w="{OASIS}-wssecurity-secext-1.0.xsd"><w:UsernameToken>
      <w:Username>{user or sandbox.settings["username"]}</w:Username>
      <w:Password Type="{OASIS}-username-token-profile-1.0#PasswordDigest">{digest}</w:Password>
      <w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce>
      <u:Created xmlns:u="{OASIS}-wssecurity-utility-1.0.xsd">{text}</u:Created></w:UsernameToken></w:Security></s:Header>
      <s:Body><InquireRequest xmlns="urn:moe.gov.sy:certificates:v1"><RequestId>x</RequestId></InquireRequest></s:Body>
      </s:Envelope>""".encode()


def post_soap(sandbox: SandboxProcess, body: bytes) -> tuple[int, str]:
    """Send it as it is."""
    return post(sandbox, "/certificates/v1", body)


def post(sandbox: SandboxProcess, path: str, body: bytes, tls: ssl.SSLContext | None = None) -> tuple[int, str]:
    """One POST of these bytes: status and text."""
    connection = (
        http.client.HTTPSConnection("127.0.0.1", sandbox.port, timeout=10, context=tls)
        if tls
        else http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    )
    connection.request("POST", path, body, {"Content-Type": "text/xml"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_education_checks_digest_user_nonce_and_time(sandbox) -> None:
    ministry = sandbox("education")
    now = datetime.now(UTC)
    good = envelope(ministry, created=now, nonce=b"first-nonce")
    assert post_soap(ministry, good)[0] == 200
    refused = {
        "replay": good,
        "password": envelope(ministry, created=now, nonce=b"n2", password="other"),
        "user": envelope(ministry, created=now, nonce=b"n3", user="other"),
        "too old": envelope(ministry, created=now - timedelta(minutes=6), nonce=b"n4"),
        "from the future": envelope(ministry, created=now + timedelta(minutes=6), nonce=b"n5"),
        "no token": b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><x/></s:Body></s:Envelope>',
    }
    answers = {why: post_soap(ministry, body) for why, body in refused.items()}
    assert {status for status, _ in answers.values()} == {500}
    assert [why for why, (_, text) in answers.items() if "wsse:FailedAuthentication" not in text] == []


async def test_education_finishes_by_hand_when_its_staff_say_so(sandbox) -> None:
    async with staged("education", "inquire", sandbox) as stage:
        call = await stage.ready("99000000003")
        assert (await heard(stage.connector, "inquire", call))[0] == "pending:being_looked_up"
        stage.sandbox.control("POST", "acts", {"action": "finish", "operation_id": acted_id(call)})
        assert (await heard(stage.connector, "inquire", call))[0] == "succeeded"


@pytest.mark.parametrize(
    ("seconds", "operation", "wanted"),
    [
        (301, "confirm", "refused:otp_expired"),
        (86_401, "confirm", "refused:payment_expired"),
        (86_401, "resend", "refused:payment_expired"),
        (601, "initiate", "refused:payment_expired"),
        (599, "initiate", "succeeded"),
    ],
)
async def test_the_wallet_lets_otps_and_payments_expire(sandbox, seconds, operation, wanted) -> None:
    async with staged("syriatel_cash", operation, sandbox) as stage:
        call = await stage.ready()
        if operation == "initiate":
            await say(stage.connector, operation, call)
        stage.sandbox.advance_clock(seconds)
        assert (await heard(stage.connector, operation, call))[0] == wanted
        assert stage.sandbox.count() == 0


async def test_a_wrong_otp_moves_no_money_and_a_new_otp_replaces_the_old(sandbox) -> None:
    async with staged("syriatel_cash", "confirm", sandbox) as stage:
        call = await stage.ready()
        old = call.secrets["otp"]
        wrong = stage.again(call, secrets={"otp": "000000" if old != "000000" else "111111"})
        assert (await heard(stage.connector, "confirm", wrong))[0] == "refused:otp_wrong"
        resend = stage.on(stage.other("resend"))
        again = resend.following(Call(acted_id(call), call.document))
        while stage.sandbox.otp(acted_id(call)) == old:  # one in a million is the same
            assert (await heard(stage.connector, "resend", again))[0] == "succeeded"
        assert (await heard(stage.connector, "confirm", call))[0] == "refused:otp_wrong"
        assert stage.sandbox.count() == 0
        fresh = stage.again(call, secrets={"otp": stage.sandbox.otp(acted_id(call))})
        assert (await heard(stage.connector, "confirm", fresh))[0] == "succeeded"
        assert stage.sandbox.count(acted_id(call)) == 1


async def test_the_same_transaction_with_another_amount_is_a_conflict(sandbox) -> None:
    async with staged("syriatel_cash", "initiate", sandbox) as stage:
        call = await stage.ready()
        await say(stage.connector, "initiate", call)
        other = {**call.document, "fee": {**call.document["fee"], "amount_minor": 9900}}
        assert (await heard(stage.connector, "initiate", stage.again(call, document=other)))[
            0
        ] == "refused:payment_conflict"


async def test_money_is_debited_even_where_the_answer_says_that_it_did_not_arrive(sandbox) -> None:
    async with staged("syriatel_cash", "confirm", sandbox) as stage:
        call = await stage.ready("963930000103")
        assert (await heard(stage.connector, "confirm", call))[0] == "in_doubt:debited_not_credited"
        assert stage.sandbox.count(acted_id(call)) == 1


async def test_transport_refuses_a_key_that_was_used_for_another_request(sandbox) -> None:
    async with staged("transport", "vehicle-statement", sandbox) as stage:
        call = await stage.ready()
        await say(stage.connector, "vehicle-statement", call)
        other = {**call.document, "input": {**call.document["input"], "plate_number": "654321"}}
        word, _ = await heard(stage.connector, "vehicle-statement", stage.again(call, document=other))
        assert word.startswith("in_doubt")
        assert stage.sandbox.count(call.operation_id) == 1


async def test_a_vehicle_search_comes_in_pages(sandbox) -> None:
    async with staged("transport", "vehicle-check", sandbox) as stage:
        await say(stage.connector, "vehicle-check", await stage.ready())
    register = sandbox("transport")
    basic = base64.b64encode(b"jisr-sandbox:sandbox-only").decode()
    connection = http.client.HTTPConnection("127.0.0.1", register.port, timeout=10)
    connection.request("POST", "/oauth2/token", "grant_type=client_credentials", {"Authorization": f"Basic {basic}"})
    token = json.loads(connection.getresponse().read())["access_token"]
    plates, page = [], 1
    while page:
        path = f"/v1/vehicles?ownerNationalNumber=99000000500&page={page}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        content = json.loads(connection.getresponse().read())
        plates += [vehicle["plateNumber"] for vehicle in content["items"]]
        page = content.get("nextPage", 0)
    connection.close()
    assert len(set(plates)) == 3
