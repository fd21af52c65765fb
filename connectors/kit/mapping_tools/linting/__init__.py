"""Finds what is mapped wrongly although it loads. `lint` runs every rule over a package."""

from connectors.kit.mapping_tools.linting.finding import Finding
from connectors.kit.mapping_tools.linting.rules import lint

__all__ = ["Finding", "lint"]
