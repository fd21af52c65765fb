"""Replays a sample: its answer on the wire, its canonical document as the call, and what came of it."""

import json
from dataclasses import replace

from connectors.kit.conformance.bench import heard, opened
from connectors.kit.conformance.canned import Asked, Said, playing
from connectors.kit.conformance.case import Failure, Place
from connectors.kit.conformance.subject import Sample, Subject
from connectors.kit.contract import Outcome
from connectors.kit.errors import ConnectorError
from connectors.kit.sandbox.encoding import encoding_of, in_encoding
from connectors.kit.sandbox.institution import Answer
from connectors.kit.sandbox.mtom import as_mtom
from connectors.kit.soap.status import status_of

SOAP12 = b"http://www.w3.org/2003/05/soap-envelope"


def said_by(sample: Sample) -> Said:
    """The sample's answer as bytes on the wire; empty where the sample has none."""
    if sample.has("response.xml"):
        raw = (sample.folder / "response.xml").read_bytes()
        kind = "application/soap+xml" if SOAP12 in raw else "text/xml"
        return Said(raw, status_of(raw), f"{kind}; charset=utf-8")
    if not sample.has("response.json"):
        return Said(b"")
    response = sample.json("response.json")
    try:
        body = json.dumps(response["body"], ensure_ascii=False).encode()
        return Said(body, response["status"], headers=response.get("headers", {}))
    except (KeyError, TypeError) as error:
        raise Failure(
            f"الملف response.json في العينة {sample.case} يحتاج status وheaders وbody.",
            f"response.json of the sample {sample.case} needs status, headers and body.",
            Place(sample.folder / "response.json"),
        ) from error


def on_the_wire(subject: Subject, sample: Sample) -> Said:
    """The sample's answer as the institution sends it: in its encoding, binary content as attachments."""
    said = said_by(sample)
    body, kind = in_encoding(said.body, said.content_type, encoding_of(subject.package.manifest))
    sent = as_mtom(Answer(body, content_type=kind))
    return replace(said, body=sent.body, content_type=sent.content_type)


async def replay(
    subject: Subject, sample: Sample, said: Said | None = None
) -> tuple[list[Asked], Outcome | ConnectorError]:
    """What was asked, and what came of the answer (the sample's own unless another is given)."""
    async with (
        playing(subject, said or said_by(sample)) as server,
        opened(subject, server.port) as connector,
    ):
        _, came = await heard(connector, sample.operation, sample.call())
    return server.asked, came
