"""A REST office made by the tests: its package, its answers, and one call of it."""

import json

from connectors.kit.errors import ConnectorError
from tests.unit.connectors.packages import ANSWER, MANIFEST, call, office, write_package
from tests.unit.connectors.raw_server import RawServer, wire

JSON = "Content-Type: application/json"
ACT = """
[operations.act]
wire = "POST /acts/{id}"
role = "submit"
effect = "idempotent"
[operations.look]
wire = "GET /acts/{id}"
role = "check"
effect = "safe"
"""
ACT_MAPPING = """
request:
  path: {id: operation_id}
  headers: {Idempotency-Key: operation_id}
  body: {name: applicant.name.given, year: input.year, nothing: input.nothing}
"""
LOOK_MAPPING = "request:\n  path: {id: input.exam_number}\n  query: {who: applicant.name.given, exact: true}\n"
MAPPINGS = {"act": ACT_MAPPING + ANSWER, "look": LOOK_MAPPING + ANSWER}


def answer(status="done", code="200 OK", **fields):
    return wire(code, json.dumps({"status": status, **fields}, ensure_ascii=False).encode(), JSON)


async def send(
    tmp_path, scripts, operation="act", *, manifest=MANIFEST + ACT, mappings=MAPPINGS, settings=None, **changes
):
    """The outcome (or the error) and what the server received."""
    folder = write_package(tmp_path, manifest=manifest, mappings=mappings)
    async with RawServer(scripts) as server:
        connector = office(folder, base_url=server.url, **(settings or {}))
        try:
            return await connector.send(connector.prepare(operation, call(**changes))), server.received
        except ConnectorError as error:
            return error, server.received
        finally:
            await connector.close()
