"""Schema-valid sample values: instances of XSD elements and of JSON Schemas, the same ones each time.

`XsdSamples` and `JsonSamples` are what the importer fills sample cases with and what a sandbox without rules answers.
"""

from connectors.kit.sample_values.errors import NoSample
from connectors.kit.sample_values.json_schema import JsonSamples
from connectors.kit.sample_values.schema_set import SchemaSet
from connectors.kit.sample_values.xsd import XsdSamples

__all__ = ["JsonSamples", "NoSample", "SchemaSet", "XsdSamples"]
