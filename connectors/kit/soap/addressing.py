"""WS-Addressing 1.0 (W3C, 2006): the headers of a request, and whether an answer relates to it."""

from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

WSA = "http://www.w3.org/2005/08/addressing"
_RELATES_TO = f"{{{WSA}}}RelatesTo"
_REPLY = f"{WSA}/reply"


class Addressing:
    """Makes the headers of one message: Action, MessageID, To, and an anonymous ReplyTo."""

    def __init__(self, address: str) -> None:
        """`address` is where the messages are posted."""
        self._to = escape(address)

    def __call__(self, action: str, message_id: str) -> str:
        """The headers, as XML that uses the prefix `soap`."""
        return (
            f'<wsa:Action xmlns:wsa="{WSA}" soap:mustUnderstand="1">{escape(action)}</wsa:Action>'
            f'<wsa:MessageID xmlns:wsa="{WSA}">{message_id}</wsa:MessageID>'
            f'<wsa:ReplyTo xmlns:wsa="{WSA}"><wsa:Address>{WSA}/anonymous</wsa:Address></wsa:ReplyTo>'
            f'<wsa:To xmlns:wsa="{WSA}">{self._to}</wsa:To>'
        )


def new_message_id() -> str:
    """The id of one message; every try has its own."""
    return f"urn:uuid:{uuid4()}"


def check_relation(envelope: Any, message_id: str) -> None:
    """Raises ValueError unless an answer says that it is the reply to this message (WS-Addressing 1.0 Core, 3.4).

    A Fault may say nothing: whoever could not read the message's headers cannot repeat its id. One that names another
    message is refused like any answer.
    """
    namespace = str(envelope.tag).rpartition("}")[0]
    related = envelope.findall(f"{namespace}}}Header/{_RELATES_TO}")
    ids = [(node.text or "").strip() for node in related if node.get("RelationshipType", _REPLY) == _REPLY]
    if ids == [message_id]:
        return
    if ids:
        raise ValueError("the answer belongs to another message (WS-Addressing RelatesTo)")
    if envelope.find(f"{namespace}}}Body/{namespace}}}Fault") is None:
        raise ValueError("the answer does not say which message it belongs to (WS-Addressing RelatesTo)")
