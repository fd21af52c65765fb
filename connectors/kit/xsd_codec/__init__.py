"""Writers and readers compiled from zeep's model of a schema.

A child element is a key, an attribute is `@name`, the text beside attributes is `#text`; what may repeat is a list.
"""

from connectors.kit.xsd_codec.compiler import CodecCompiler, ElementCodec, SchemaFacts, UnsupportedSchema

__all__ = ["CodecCompiler", "ElementCodec", "SchemaFacts", "UnsupportedSchema"]
