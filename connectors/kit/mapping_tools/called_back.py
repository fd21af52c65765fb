"""The messages that an institution sends by itself, on the bench: their samples, and what they say.

A sample of a callback is `samples/<callback>/<case>/` with `callback.json` (the message's body) and `outcome.json`, in
which `operation_id` stands beside the outcome.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from connectors.kit.callbacks import CallbackReader
from connectors.kit.contract import CallbackSaid
from connectors.kit.errors import ConnectorError
from connectors.kit.mapping_tools.workbench import Sample, ToolError, Workbench
from connectors.kit.outcome_file import shown

MESSAGE = "callback.json"


def callback_samples(bench: Workbench, name: str | None = None) -> Iterator[Sample]:
    """The samples of one callback or of all, in order."""
    for file in sorted((bench.folder / "samples").glob(f"*/*/{MESSAGE}")):
        sample = Sample(file.parent.parent.name, file.parent.name, file.parent)
        if sample.operation in bench.package.manifest.callbacks and name in {None, sample.operation}:
            yield sample


def callback_sample(bench: Workbench, name: str, case: str = "") -> Sample:
    """The sample of that name; without a name `succeeded`, or the first. Raises ToolError."""
    found = list(callback_samples(bench, name))
    wanted = [sample for sample in found if sample.case == (case or "succeeded")] or ([] if case else found)
    if not wanted:
        cases = ", ".join(sample.case for sample in found) or "none"
        raise ToolError(f"{bench.folder.name}/samples/{name}: there is no sample {case!r}; there are {cases}")
    return wanted[0]


class HasJson(Protocol):
    """A sample's folder."""

    def json(self, name: str) -> Any:
        """One of its JSON files."""


def message_of(sample: HasJson) -> bytes:
    """The bytes of a sample's message."""
    return json.dumps(sample.json(MESSAGE), ensure_ascii=False).encode()


def read_callback(bench: Workbench, name: str, raw: bytes) -> CallbackSaid | ConnectorError:
    """What a message says, whoever signed it."""
    reader = CallbackReader(bench.package, name, bench.settings, lambda: datetime.now(UTC))
    try:
        return reader(raw, {"Content-Type": "application/json"})
    except ConnectorError as error:
        return error


def shown_callback(came: CallbackSaid | ConnectorError) -> dict[str, Any]:
    """What a message says, in the words of outcome.json."""
    if isinstance(came, ConnectorError):
        return shown(came)
    return {**shown(came.outcome), "operation_id": came.operation_id}


def callback_context(bench: Workbench, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a callback's answer section reads. Raises ToolError for a message that names no act."""
    came = read_callback(bench, name, json.dumps(body, ensure_ascii=False).encode())
    if isinstance(came, ConnectorError):
        raise ToolError(f"{bench.folder.name}/samples/{name}: {came}")
    secret = {key for key, setting in bench.package.settings.items() if setting.secret}
    public = {key: value for key, value in bench.settings.items() if key not in secret}
    return {
        "operation_id": came.operation_id,
        "settings": public,
        "answer": body,
        "http": {"status": 0, "headers": {"content-type": "application/json"}},
    }
