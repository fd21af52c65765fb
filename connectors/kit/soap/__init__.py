"""The messages of one WSDL: written as text, read with suspicion."""

from connectors.kit.soap.addressing import Addressing, check_relation, new_message_id
from connectors.kit.soap.answers import SoapAnswer
from connectors.kit.soap.codec import SoapCodec
from connectors.kit.soap.encoding import Encoding

__all__ = ["Addressing", "Encoding", "SoapAnswer", "SoapCodec", "check_relation", "new_message_id"]
