"""Sample messages in the canonical document's form: what the skeletons read and what they find in answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from connectors.kit.importing.fields import Field
from connectors.kit.media_types import JPEG, PDF, PNG

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_TYPE = f"{_XSI}type"

#: The canonical document of every sample case; numbers of persons that begin with 99 belong to nobody.
PERSON: Mapping[str, Any] = {
    "national_number": "99000000500",
    "name": {"given": "سامر", "father": "خليل", "mother": "هدى", "family": "العينة"},
    "birth_date": "1990-05-17",
    "mobile": "+963930000555",
    "account": "sample-account",
    "assurance": "low",
}
OPERATION_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
#: The smallest files that are taken for what they are called, as base64.
_FILES = {
    PDF: "JVBERi0xLjQKJSVFT0YK",
    PNG: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
    JPEG: "/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==",
}


def canonical(package: str, operation: str, given: Any) -> dict[str, Any]:
    """The canonical document whose `input` is this."""
    return {
        "operation_id": OPERATION_ID,
        "request": {
            "id": "01890a5d-ac96-774b-bcce-b302099a8000",
            "service": f"{package}.{operation}",
            "language": "ar",
            "accepted_at": "2026-03-01T08:00:00Z",
        },
        "applicant": dict(PERSON),
        "input": given,
        "delivery": {"method": "electronic"},
        "fee": None,
        "payer": None,
        "reference": "",
        "subject_operation_id": OPERATION_ID,
        "steps": {},
    }


def of_xml(field: Field, node: Any, seen: set[int], wild: Sequence[Any] = ()) -> Any:
    """An element in canonical form; the fields that it has are put into `seen`, `wild` has what stands for xsd:any."""
    seen.add(id(field))
    if field.children and any(_is_wild(child, wild) for child in node):
        field.whole = True
    if field.whole or not field.children or node.get(_TYPE) is not None:
        return plain(node, wild) if field.whole or node.get(_TYPE) is not None else scalar(field.form, node.text or "")
    result: dict[str, Any] = {}
    for child in field.children:
        value = _child_of_xml(child, node, seen, wild)
        if value is not None:
            result[child.name] = value
    return result


def _child_of_xml(child: Field, node: Any, seen: set[int], wild: Sequence[Any]) -> Any:
    if child.key == "#text":
        seen.add(id(child))
        return scalar(child.form, node.text or "")
    if child.key.startswith("@"):
        found = next(
            (text for name, text in node.attrib.items() if _local(name) == child.key[1:] and not name.startswith(_XSI)),
            None,
        )
        if found is not None:
            seen.add(id(child))
        return None if found is None else scalar(child.form, found)
    nodes = [one for one in node if isinstance(one.tag, str) and _local(one.tag) == child.key]
    if not nodes:
        return None
    for one in nodes:
        if child.children and not len(one) and not one.attrib:  # an empty element can only be said as a whole
            child.whole = True
        child.whole = child.whole or one.get(_TYPE) is not None or any(_is_wild(inner, wild) for inner in one)
    values = [of_xml(child, one, seen, wild) for one in nodes]
    return values if child.repeats else values[0]


def _is_wild(node: Any, wild: Sequence[Any]) -> bool:
    return any(one is node for one in wild)


def plain(node: Any, wild: Sequence[Any] = ()) -> Any:
    """An element as it stands: text, or a mapping by local names; what stands for an xsd:any is under `#any`."""
    result: dict[str, Any] = {
        f"@{_local(name)}": text for name, text in node.attrib.items() if not name.startswith(_XSI)
    }
    named = node.get(_TYPE)
    if named is not None:
        result["@xsi:type"] = named.rpartition(":")[2]
    for child in node:
        if isinstance(child.tag, str):
            key, value = _local(child.tag), plain(child, wild)
            if _is_wild(child, wild):
                result.setdefault("#any", []).append({child.tag: value})
                continue
            known = result.get(key)
            result[key] = value if key not in result else [*known, value] if isinstance(known, list) else [known, value]
    text = node.text or ""
    if text.strip() and not result:
        return text
    if text.strip():
        result["#text"] = text
    return result


def of_json(field: Field, value: Any, seen: set[int]) -> Any:
    """A JSON value in canonical form; the fields that it has are put into `seen`."""
    seen.add(id(field))
    if isinstance(value, Mapping) and field.children and not field.whole:
        if not value:
            field.whole = True
            return value
        known = {child.key: child for child in field.children}
        return {
            known[key].name: _listed_json(known[key], inner, seen)
            for key, inner in value.items()
            if key in known and inner is not None
        }
    return value


def file_xml(field: Field, node: Any) -> None:
    """Put a small file where the contract says of what type the bytes are."""
    for child in field.children:
        for one in node:
            if isinstance(one.tag, str) and _local(one.tag) == child.key:
                file_xml(child, one)
                if child.form == "bytes" and child.media in _FILES and not len(one):
                    one.text = _FILES[child.media]


def file_json(field: Field, value: Any) -> Any:
    """The value with a small file where the contract says of what type the bytes are."""
    if field.form == "bytes":
        return _FILES.get(field.media, value)
    if isinstance(value, list):
        return [file_json(field, one) for one in value]
    if not isinstance(value, Mapping):
        return value
    known = {child.key: child for child in field.children}
    return {key: file_json(known[key], inner) if key in known else inner for key, inner in value.items()}


def _listed_json(field: Field, value: Any, seen: set[int]) -> Any:
    if field.repeats and isinstance(value, list):
        if not value or not field.children:
            field.whole = True
            seen.add(id(field))
            return value
        return [of_json(field, one, seen) for one in value]
    return of_json(field, value, seen)


def scalar(form: str, text: str) -> Any:
    """A text of the wire in its JSON form; what has none stays text."""
    try:
        if form == "integer":
            return int(text)
    except ValueError:
        return text
    return text.strip() in {"true", "1"} if form == "boolean" else text


def envelope(version: str, body: Any) -> bytes:
    """A SOAP answer around the elements of its body."""
    space = (
        "http://www.w3.org/2003/05/soap-envelope" if version == "1.2" else "http://schemas.xmlsoap.org/soap/envelope/"
    )
    root = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    holder = etree.SubElement(root, f"{{{space}}}Body")
    holder.extend(body)
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8") + b"\n"


def fault(version: str) -> bytes:
    """A SOAP Fault with a code that no code table lists."""
    if version == "1.2":
        text = (
            '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><soap:Fault><soap:Code>'
            "<soap:Value>soap:Receiver</soap:Value></soap:Code><soap:Reason>"
            '<soap:Text xml:lang="en">Not listed</soap:Text>'
            "</soap:Reason></soap:Fault></soap:Body></soap:Envelope>"
        )
    else:
        text = (
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
            "<faultcode>soap:Server</faultcode><faultstring>Not listed</faultstring></soap:Fault></soap:Body>"
            "</soap:Envelope>"
        )
    return text.encode() + b"\n"


def _local(name: str) -> str:
    return name.rpartition("}")[2]
