"""The JSON Schema of sandbox.toml, made from the form that the loader itself uses, for editors and other tools."""

from typing import Any

import msgspec

from connectors.kit.manifest.schema import plain
from connectors.kit.sandbox.document import SandboxDocument


def sandbox_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. What the loader checks between the parts beyond this, it says itself."""
    schema = plain(msgspec.json.schema(SandboxDocument))
    schema["$defs"]["Read"] |= {"minProperties": 1, "maxProperties": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://jisr.example/schemas/sandbox.schema.json",
        "title": "How an institution behaves in its sandbox",
        **schema,
    }
