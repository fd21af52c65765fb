"""A17: what a person typed and what must stay secret stands in no log, metric, problem or crash report, on any path."""

import json

import httpx

from tests.faults.looking import certificate, payment_of, until_asked
from tests.gateways import CERTIFICATE, VEHICLE

PERSON = "77000001234"
NAMES = ("كناريلمى", "كنارعادل", "كنارهدى", "كنارخطيب")
MOBILE = "0930000771"
ACCOUNT = "canary-account-4711"
REFERENCE = "canary-reference-0815"
FAULTS = [
    ("html", None),
    ("empty", None),
    ("wrong_content_type", None),
    ("wrong_charset", None),
    ("bom", None),
    ("fault", None),
    ("status", 503),
    ("wrong_element", None),
    ("missing_element", None),
    ("truncate", 40),
    ("cut_after", None),
    ("cut_before", None),
    ("redirect", "http://127.0.0.1:9/"),
]


def watched(body):
    given, father, mother, family = NAMES
    applicant = {
        "national_number": PERSON,
        "name": {"given": given, "father": father, "mother": mother, "family": family},
        "mobile": MOBILE,
        "account": ACCOUNT,
        "assurance": "substantial",
    }
    return body | {"applicant": applicant, "reference": REFERENCE}


def bad_bodies():
    good = watched(VEHICLE)
    yield {**good, "extra": PERSON}
    yield {**good, "service": PERSON}
    yield {**good, "input": {"plate_number": PERSON, "governorate": NAMES[0], "category": MOBILE}}
    yield {**good, "applicant": good["applicant"] | {"national_number": f"{PERSON}9"}}
    yield {**good, "applicant": good["applicant"] | {"mobile": f"+{PERSON}"}}
    yield {**good, "payment": {"method": NAMES[3], "payer": {"mobile": PERSON}}}


def leaks(text, secrets):
    return sorted({secret for secret in secrets if secret in text})


def test_a17_no_canary_reaches_a_log_a_metric_a_problem_or_a_report(make_gateway, sandbox):
    gateway = make_gateway()
    gateway.start()
    seen = [gateway.add("operator", "watcher")]
    operator, otps, problems = seen[0], [], []

    with gateway.client() as http:
        headers = {"Idempotency-Key": "canary-bad", "Content-Type": "application/json"}
        problems += [http.post("/v1/requests", json=body, headers=headers).text for body in bad_bodies()]
        problems.append(http.post("/v1/requests", content=f'{{"a": "{PERSON}'.encode(), headers=headers).text)
        problems.append(http.get(f"/v1/requests/{PERSON}").text)
        problems.append(http.get("/v1/requests", params={"reference": REFERENCE, "limit": PERSON}).text)
    problems.append(httpx.get(f"{gateway.url}/v1/requests", headers={"Authorization": f"Bearer {PERSON}"}).text)

    for number, (fault, value) in enumerate(FAULTS):
        sandbox("transport").switch(fault, value, times=1)
        gateway.submit(watched(VEHICLE), f"canary-{number}", wait=1)
    sandbox("transport").switches_off()

    paid = watched(CERTIFICATE | {"payment": {"method": "syriatel_cash", "payer": {"mobile": MOBILE}}})
    asked = until_asked(gateway, "canary-paid", paid)
    otps.append(sandbox("syriatel_cash").otp(payment_of(asked)))
    wrong = "735911" if otps[0] != "735911" else "735912"
    gateway.act(asked, {"otp": wrong}, "canary-wrong-otp")
    again = gateway.until_state(asked["id"], "awaiting_citizen")
    sandbox("syriatel_cash").switch("cut_after", operation="confirm", times=1)
    gateway.act(again, {"otp": otps[0]}, "canary-otp")
    gateway.until_state(asked["id"], "in_doubt")
    refused = certificate(national_number="99000000020")
    gateway.submit(
        watched(refused) | {"applicant": watched({})["applicant"] | {"national_number": "99000000020"}},
        "canary-refused",
        wait=10,
    )

    with gateway.client(operator) as http:
        told = http.get("/metrics").text + http.get("/v1/admin/requests", params={"state": "in_doubt"}).text
    gateway.kill()
    reports = "".join(path.read_text(errors="replace") for path in gateway.folder.rglob("*crash*.txt"))

    passwords = [
        str(value)
        for values in gateway.connectors.values()
        for name, value in values.items()
        if name in ("password", "client_secret")
    ]
    secrets = [PERSON, *NAMES, MOBILE, f"+963{MOBILE[1:]}", ACCOUNT, wrong, *otps, gateway.key, operator, *passwords]
    assert gateway.log.count('"event":"exchange"') > len(FAULTS)
    assert leaks(gateway.log, [*secrets, REFERENCE]) == []
    assert leaks(told + reports, secrets) == []
    assert leaks(json.dumps(problems, ensure_ascii=False), secrets) == []
