"""The WSDL of a SOAP connector, opened: operations with compiled codecs, and the schema that judges messages."""

from connectors.kit.wsdl.contract import SOAP11, SOAP12, Message, WsdlContract, WsdlOperation
from connectors.kit.wsdl.opening import WsdlError, load_wsdl, open_wsdl

__all__ = ["SOAP11", "SOAP12", "Message", "WsdlContract", "WsdlError", "WsdlOperation", "load_wsdl", "open_wsdl"]
