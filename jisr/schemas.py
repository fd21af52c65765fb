"""The JSON Schemas in config/schemas, each made from the code that reads such a file; editors complete with them."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from jisr.reference import Page


def _text(make: Callable[[], dict[str, Any]]) -> str:
    return json.dumps(make(), ensure_ascii=False, indent=1) + "\n"


def manifest() -> str:
    """Of a connector package's manifest.toml."""
    from connectors.kit.manifest.schema import manifest_schema

    return _text(manifest_schema)


def sandbox() -> str:
    """Of a connector package's sandbox.toml."""
    from connectors.kit.sandbox.schema import sandbox_schema

    return _text(sandbox_schema)


def service() -> str:
    """Of a service file."""
    from gateway.service_schema import service_schema

    return _text(service_schema)


def connectors() -> str:
    """Of the table `[connectors]` in jisr.toml: the settings of the connectors that come with the program."""
    return _text(_connectors)


def _connectors() -> dict[str, Any]:
    from connectors.kit.manifest.settings import settings_schema
    from connectors.registry import find_packages

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://jisr.example/schemas/connectors.schema.json",
        "title": "Settings of the connectors that come with the program; any other connector has its own",
        "type": "object",
        "properties": {name: settings_schema(package.settings) for name, package in find_packages().items()},
    }


def mapping() -> str:
    """Of a mapping document."""
    from connectors.kit.mapping_schema import mapping_schema

    return _text(mapping_schema)


def mapping_parts() -> str:
    """Of the parts that mapping documents share."""
    from connectors.kit.mapping_schema import parts_schema

    return _text(parts_schema)


def mapping_cases() -> str:
    """Of the cases beside a mapping document."""
    from connectors.kit.mapping_schema import cases_schema

    return _text(cases_schema)


def codes() -> str:
    """Of a connector package's codes.toml."""
    from connectors.kit.mapping_schema import codes_schema

    return _text(codes_schema)


SCHEMAS: Mapping[str, Page] = {
    "manifest": Page("manifest.schema.json", manifest),
    "sandbox": Page("sandbox.schema.json", sandbox),
    "service": Page("service.schema.json", service),
    "connectors": Page("connectors.schema.json", connectors),
    "mapping": Page("mapping.schema.json", mapping),
    "mapping-parts": Page("mapping-parts.schema.json", mapping_parts),
    "mapping-cases": Page("mapping-cases.schema.json", mapping_cases),
    "codes": Page("codes.schema.json", codes),
}
