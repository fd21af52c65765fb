"""WS-Addressing 1.0 headers of a request, for ports that ask for them (UsingAddressing, or a policy)."""

from uuid import uuid4
from xml.sax.saxutils import escape

_WSA = "http://www.w3.org/2005/08/addressing"


class Addressing:
    """Makes the headers of one message: Action, MessageID, To, and an anonymous ReplyTo."""

    def __init__(self, address: str) -> None:
        """`address` is where the messages are posted."""
        self._to = escape(address)

    def __call__(self, action: str) -> str:
        """Fresh headers, with a message id of their own."""
        return (
            f'<wsa:Action xmlns:wsa="{_WSA}" soap:mustUnderstand="1">{escape(action)}</wsa:Action>'
            f'<wsa:MessageID xmlns:wsa="{_WSA}">urn:uuid:{uuid4()}</wsa:MessageID>'
            f'<wsa:ReplyTo xmlns:wsa="{_WSA}"><wsa:Address>{_WSA}/anonymous</wsa:Address></wsa:ReplyTo>'
            f'<wsa:To xmlns:wsa="{_WSA}">{self._to}</wsa:To>'
        )
