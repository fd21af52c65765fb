"""WS-Security X.509 signatures (RSA-SHA256, exclusive canonicalisation) over Body and Timestamp.

A signature is believed only about the nodes that it references: the Body that is read and the Timestamp of the one
Security header must be those nodes themselves, found by their place and not by their id (McIntosh and Austel, 2005:
XML signature element wrapping). Keys that travel in a message are never used.
"""

import base64
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from connectors.kit.manifest import SettingError, X509Signature
from connectors.kit.wsse import UsernameTokenHeader

_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DS = "http://www.w3.org/2000/09/xmldsig#"
_X509V3 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ID = f"{{{_WSU}}}Id"
_USER_TOKEN = f"{{{_WSSE}}}UsernameToken"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_LEEWAY = timedelta(seconds=60)  #: How far two honest clocks may differ.
#: For what we wrote ourselves: a large document may stand in it.
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


class MessageSeal:
    """Signs what is sent and verifies what comes back. Implements `connectors.kit.soap_security.SoapSecurity`."""

    def __init__(
        self,
        declared: X509Signature,
        settings: Mapping[str, Any],
        now: Callable[[], datetime],
        user: UsernameTokenHeader | None = None,
    ) -> None:
        """`user` stands in the header too, and is signed. Raises SettingError for what cannot be read."""
        self.secret = user is not None
        self._user = user
        self._lifetime = timedelta(seconds=declared.lifetime_seconds)
        self._now = now
        certificate = _certificates(str(settings["signing_certificate"]), "signing_certificate")[0]
        self._token = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii")
        self._key = _private_key(str(settings["signing_key"]))
        self._theirs = (
            _certificates(str(settings["institution_certificate"]), "institution_certificate")
            if declared.verify_answers
            else None
        )

    def header(self) -> str:
        """The header is made with the signature, by `seal`."""
        return ""

    def masked(self) -> str:
        """A signature is no secret; the user's token is."""
        return "" if self._user is None else self._user.masked()

    def seal(self, envelope: bytes) -> bytes:
        """The message with a Security header: certificate, Timestamp and the signature over Body and Timestamp."""
        root = etree.fromstring(envelope, _PARSER)
        namespace = etree.QName(root).namespace
        body = root.find(f"{{{namespace}}}Body")
        assert body is not None  # the codec wrote it
        mark = secrets.token_hex(8)
        body.set(_ID, f"body-{mark}")
        security = etree.fromstring(self._security(str(namespace), mark), _PARSER)
        header = root.find(f"{{{namespace}}}Header")
        if header is None:
            header = etree.Element(f"{{{namespace}}}Header")
            root.insert(0, header)
        header.insert(0, security)
        context = xmlsec.SignatureContext()
        context.key = self._key
        signed = {body, _only(security, f"{{{_WSU}}}Timestamp", "Timestamp"), *security.iter(_USER_TOKEN)}
        for node in signed:
            context.register_id(node, "Id", _WSU)
        context.sign(_only(security, f"{{{_DS}}}Signature", "signature"))
        return etree.tostring(root, encoding="utf-8")

    def verify(self, envelope: Any) -> None:
        """Raises ValueError unless Body and Timestamp of this very tree are signed by the institution, just now."""
        if self._theirs is not None:
            now = self._now()
            _check_fresh(verified_timestamp(envelope, self._theirs, now), now, self._lifetime)

    def _security(self, namespace: str, mark: str) -> str:
        created = self._now().astimezone(UTC)
        user = "" if self._user is None else self._user.token(f"user-{mark}")
        references = "".join(
            f'<ds:Reference URI="#{name}-{mark}">'
            f'<ds:Transforms><ds:Transform Algorithm="{_EXCLUSIVE}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{_SHA256}"/><ds:DigestValue/></ds:Reference>'
            for name in ("time", "body", *(("user",) if user else ()))
        )
        return (
            f'<wsse:Security xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}" xmlns:soap="{namespace}" soap:mustUnderstand="1">'
            f'<wsse:BinarySecurityToken EncodingType="{_BASE64}" ValueType="{_X509V3}" wsu:Id="cert-{mark}">'
            f"{self._token}</wsse:BinarySecurityToken>"
            f'<wsu:Timestamp wsu:Id="time-{mark}"><wsu:Created>{_written(created)}</wsu:Created>'
            f"<wsu:Expires>{_written(created + self._lifetime)}</wsu:Expires></wsu:Timestamp>{user}"
            f'<ds:Signature xmlns:ds="{_DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_EXCLUSIVE}"/>'
            f'<ds:SignatureMethod Algorithm="{_RSA_SHA256}"/>{references}</ds:SignedInfo><ds:SignatureValue/>'
            f'<ds:KeyInfo><wsse:SecurityTokenReference><wsse:Reference URI="#cert-{mark}" ValueType="{_X509V3}"/>'
            "</wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security>"
        )


def verified_timestamp(envelope: Any, theirs: list[x509.Certificate], now: datetime) -> Any:
    """The signed Timestamp of an envelope whose own Body is signed too, by one of these certificates.

    Raises ValueError with what is wrong; nothing of the message stands in it.
    """
    namespace = etree.QName(envelope).namespace
    header = _only(envelope, f"{{{namespace}}}Header", "header")
    body = _only(envelope, f"{{{namespace}}}Body", "body")
    security = _only(header, f"{{{_WSSE}}}Security", "Security header")
    timestamp = _only(security, f"{{{_WSU}}}Timestamp", "Timestamp")
    signature = _only(security, f"{{{_DS}}}Signature", "signature")
    places = {node.get(_ID): node for node in (*header, *security, timestamp, body) if node.get(_ID) is not None}
    _check_ids(envelope, places)
    referenced = set(_references(signature))
    if not referenced <= set(places):
        raise ValueError("the signature references something that is not the message's own header or body")
    if not {body.get(_ID), timestamp.get(_ID)} <= referenced:
        raise ValueError("the signature does not cover the body and the Timestamp")
    good = [one for one in theirs if one.not_valid_before_utc <= now <= one.not_valid_after_utc]
    if not any(_signed_by(one, signature, [places[reference] for reference in referenced]) for one in good):
        raise ValueError("the signature is not the institution's")
    return timestamp


def _only(parent: Any, tag: str, name: str) -> Any:
    found = [child for child in parent if child.tag == tag]
    if len(found) != 1:
        raise ValueError(f"the answer has not exactly one {name}")
    return found[0]


def _check_ids(envelope: Any, places: Mapping[str, Any]) -> None:
    """No id that counts stands anywhere else, under whatever attribute."""
    seen: set[str] = set()
    for node in envelope.iter("*"):
        for name, value in node.attrib.items():
            if name == _XML_ID or (etree.QName(name).localname.lower() == "id" and value in seen & set(places)):
                raise ValueError("an id stands twice in the answer")
            if etree.QName(name).localname.lower() == "id":
                seen.add(value)


def _references(signature: Any) -> Iterator[str]:
    """The ids that are referenced, after a look at every algorithm. Raises ValueError for any but the strong ones."""
    signed_info = _only(signature, f"{{{_DS}}}SignedInfo", "SignedInfo")
    _check_algorithm(signed_info, "CanonicalizationMethod", _EXCLUSIVE)
    _check_algorithm(signed_info, "SignatureMethod", _RSA_SHA256)
    for reference in signed_info.iterfind(f"{{{_DS}}}Reference"):
        transforms = _only(reference, f"{{{_DS}}}Transforms", "list of transforms per reference")
        _check_algorithm(transforms, "Transform", _EXCLUSIVE)
        _check_algorithm(reference, "DigestMethod", _SHA256)
        uri = reference.get("URI", "")
        if not uri.startswith("#"):
            raise ValueError("the signature references something outside the message")
        yield uri[1:]


def _check_algorithm(parent: Any, name: str, wanted: str) -> None:
    if _only(parent, f"{{{_DS}}}{name}", name).get("Algorithm") != wanted:
        raise ValueError(f"{name} is not the one that was agreed: RSA-SHA256 over exclusive canonical XML")


def _signed_by(certificate: x509.Certificate, signature: Any, nodes: list[Any]) -> bool:
    context = xmlsec.SignatureContext()
    public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    context.key = xmlsec.Key.from_memory(public, xmlsec.constants.KeyDataFormatPem)
    for node in nodes:
        context.register_id(node, "Id", _WSU)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return False
    return True


def _check_fresh(timestamp: Any, now: datetime, lifetime: timedelta) -> None:
    created = _read_time(timestamp.findtext(f"{{{_WSU}}}Created"))
    expires = _read_time(timestamp.findtext(f"{{{_WSU}}}Expires"))
    if not created - _LEEWAY <= now <= min(expires, created + lifetime) + _LEEWAY:
        raise ValueError("the answer's Timestamp is not of now")


def _read_time(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise ValueError("the answer's Timestamp is not a time") from None
    if moment.tzinfo is None:
        raise ValueError("the answer's Timestamp has no zone")
    return moment.astimezone(UTC)


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _certificates(text: str, name: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode("utf-8"))
    except ValueError:
        raise SettingError(f"setting {name}: no certificate in PEM is there") from None


def _private_key(text: str) -> Any:
    try:
        return xmlsec.Key.from_memory(text.encode("utf-8"), xmlsec.constants.KeyDataFormatPem)
    except (xmlsec.Error, ValueError, TypeError):
        raise SettingError("setting signing_key: no unencrypted private key in PEM is there") from None
