"""A1: an institution's answer that tries to read files, to call others, or to eat the memory."""

import os
from pathlib import Path

from tests.faults.listener import answering, listening
from tests.faults.looking import certificate, evidence, kinds
from tests.gateways import QUICK, VEHICLE

MEBIBYTE = 1024 * 1024


def envelope(inner, prologue=""):
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{prologue}'
        f'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{inner}</soap:Body></soap:Envelope>'
    ).encode()


def doctype(inside, used="&x;"):
    return envelope(f"<a>{used}</a>", f"<!DOCTYPE a [{inside}]>")


def laughs():
    rows = "".join(f'<!ENTITY x{n} "' + f"&x{n - 1};" * 10 + '">' for n in range(1, 10))
    return doctype(f'<!ENTITY x0 "ha">{rows}', "&x9;")


def hostile(elsewhere):
    """Name -> answer; `elsewhere` is an address that must not be called."""
    return {
        "xxe_file": doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'),
        "xxe_http": doctype(f'<!ENTITY x SYSTEM "{elsewhere}/x">'),
        "parameter_entity": doctype(f'<!ENTITY % p SYSTEM "{elsewhere}/p.dtd"> %p;'),
        "external_dtd": envelope("<a/>", f'<!DOCTYPE a SYSTEM "{elsewhere}/a.dtd">'),
        "schema_location": envelope(
            f'<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:a {elsewhere}/a.xsd"/>'
        ),
        "xinclude": envelope(f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{elsewhere}/i"/>'),
        "billion_laughs": laughs(),
        "quadratic": doctype('<!ENTITY x "' + "a" * 50_000 + '">', "&x;" * 5000),
        "doctype_alone": envelope("<a/>", "<!DOCTYPE a>"),
        "depth_10k": envelope("<a>" * 10_000 + "</a>" * 10_000),
        "text_11_mb": envelope(f"<a>{'b' * (11 * MEBIBYTE)}</a>"),
        "depth_1k_and_11_mb": envelope("<a>" * 1000 + "b" * (11 * MEBIBYTE) + "</a>" * 1000),
        "laughs_and_11_mb": laughs() + b" " * (11 * MEBIBYTE),
        "attributes_200k": envelope("<a " + " ".join(f'b{n}=""' for n in range(200_000)) + "/>"),
    }


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def cpu_seconds(pid):
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def test_a1_hostile_xml_in_an_answer_is_unreadable_fast_and_calls_nobody(make_gateway, sandbox):
    with answering() as ministry, listening() as elsewhere:
        settings = sandbox("education").settings | {"base_url": ministry.url}
        others = {name: sandbox(name).settings for name in ("transport", "syriatel_cash")}
        gateway = make_gateway(connectors={"education": settings, **others}, dispatch=QUICK | {"max_tries": 1})
        gateway.start()
        ministry.body = envelope("<a/>")
        judged(gateway, ministry, "first")
        before = resident_bytes(gateway.process.pid)
        for name, body in hostile(elsewhere.url).items():
            ministry.body = body
            spent, kept = judged(gateway, ministry, name)
            assert kept.code in ("upstream_protocol", "upstream_too_large"), name
            assert spent < 5, f"{name} took {spent} seconds of CPU"
            assert b"root:" not in kept.response, name
        assert elsewhere.connections == 0
        assert resident_bytes(gateway.process.pid) - before < 150 * MEBIBYTE
        assert gateway.submit(VEHICLE, "after", wait=20).status_code == 201, "others are served"


def judged(gateway, ministry, name):
    """Ask; the gateway's seconds of CPU until the answer was judged, and the evidence."""
    begun = cpu_seconds(gateway.process.pid)
    asked = gateway.submit(certificate(), f"a1-{name}").json()
    told = gateway.until_state(asked["id"], "parked")
    spent = cpu_seconds(gateway.process.pid) - begun
    assert told["reason"]["code"] in ("upstream_protocol", "upstream_too_large")
    assert "parked" in kinds(gateway, asked)
    return spent, evidence(gateway, asked)[-1]
