"""From a WSDL to a package."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from connectors.kit.importing.drafts import Draft
from connectors.kit.importing.fields import Field, kebab, unique_names
from connectors.kit.importing.guesses import code_field, guess, pair_inquiries
from connectors.kit.importing.locking import lock_of
from connectors.kit.importing.mappings import code_expression
from connectors.kit.importing.ports import Message, Port, SoapOperation, read_ports
from connectors.kit.importing.refusal import ContractRefused, Progress, Report, Words, silent
from connectors.kit.importing.repairs import mend
from connectors.kit.importing.samples import envelope, fault, file_xml, of_xml, plain
from connectors.kit.importing.sources import open_source, source_name
from connectors.kit.importing.texts import toml
from connectors.kit.importing.writing import Authentication, PackageDraft, check_target, write_package
from connectors.kit.importing.xml_files import XmlFiles
from connectors.kit.importing.xsd_fields import XsdFields
from connectors.kit.sample_values import NoSample, SchemaSet, XsdSamples
from mappings.sentences import in_arabic

_MOST_OPERATIONS = 400


def import_wsdl(
    name: str,
    source: str,
    into: Path,
    *,
    port: str | None = None,
    root: Path | None = None,
    allow_private: bool = False,
    progress: Progress = silent,
) -> tuple[Path, Report]:
    """Write the package `name` below `into` from a WSDL; the folder and what the author should know.

    Raises ContractRefused with one sentence; then nothing was written.
    """
    check_target(name, into)
    report = Report()
    package = draft_wsdl(name, source, report, port=port, root=root, allow_private=allow_private, progress=progress)
    return write_package(package, into, report, progress), report


def draft_wsdl(
    name: str,
    source: str,
    report: Report,
    *,
    port: str | None = None,
    root: Path | None = None,
    allow_private: bool = False,
    progress: Progress = silent,
) -> PackageDraft:
    """The package that a WSDL makes, not yet written. Raises ContractRefused."""
    contract = XmlFiles(open_source(source, root=root, allow_private=allow_private), progress)
    mend(contract, report)
    schemas = _schemas(contract)
    ports = read_ports(contract, schemas)
    chosen = _chosen(ports, port, report)
    progress(Words(f"Writing {len(chosen.operations)} operations", f"كتابة {len(chosen.operations)} عملية"))
    drafts = _Drafting(schemas, chosen, report).drafts()
    files = {f"wsdl/{file.name}": file.content() for file in contract.files.values()}
    authentication = Authentication(note="the contract does not say how callers prove who they are; see the reference")
    address = urlsplit(chosen.address)
    return PackageDraft(
        name=name,
        kind="soap",
        title=chosen.service or name,
        address=f"{address.scheme}://{address.netloc}" if address.netloc else "",
        source=source_name(source),
        files=files,
        drafts=drafts,
        authentication=authentication,
        manifest_tables=_soap_table(contract, chosen),
        lock=lock_of(source_name(source), files, drafts, report.repairs),
    )


def _soap_table(contract: XmlFiles, chosen: Port) -> str:
    lines = ["[soap]", f'wsdl = "wsdl/{contract.main.name}"', f"path = {toml(chosen.path)}"]
    lines.append(f"port = {toml(chosen.name)}")
    return "\n".join(lines)


def _schemas(contract: XmlFiles) -> SchemaSet:
    """The schemas under the names that they have in the package."""
    by_name = {file.name: file.root for file in contract.files.values()}

    def load(_: str, location: str) -> tuple[str, Any] | None:
        return (location, by_name[location]) if location in by_name else None

    schemas = SchemaSet()
    schemas.add(contract.main.name, contract.main.root, load)
    return schemas


def _chosen(ports: list[Port], wanted: str | None, report: Report) -> Port:
    usable = [one for one in ports if one.version and one.operations]
    for one in ports:
        report.left_out += one.problems
    if wanted is not None:
        found = next((one for one in ports if one.name == wanted), None)
        if found is None or found not in usable:
            names = ", ".join(one.name for one in usable) or "-"
            raise ContractRefused(
                f"The port {wanted} cannot be used; usable are: {names}.",
                f"لا يمكن استعمال المنفذ {wanted}؛ المتاح: {names}.",
            )
    elif usable:
        found = max(usable, key=lambda one: len(one.operations))
    else:
        raise _no_port(ports)
    for other in usable:
        if other is not found:
            report.hints.append(Words(
                f"The contract also has the port {other.name} (SOAP {other.version}, operations: "
                f"{len(other.operations)}); --port chooses it.",
                f"في العقد أيضاً المنفذ {other.name} (SOAP {other.version}، العمليات: {len(other.operations)})؛ "
                "يختاره ‎--port.",
            ))  # fmt: skip
    if not found.service:
        report.hints.append(Words(
            f"The contract does not say where it is served: the binding {found.name} was taken; write [soap] path.",
            f"لا يقول العقد أين تُقدَّم الخدمة: أُخذ الربط {found.name}؛ اكتب path في ‎[soap].",
        ))  # fmt: skip
    if found.mtom:
        report.hints.append(Words(
            f"The port {found.name} asks for MTOM: attachments come, and go, as parts beside the message.",
            f"يطلب المنفذ {found.name} أسلوب MTOM: تأتي المرفقات وتُرسل أجزاءً بجانب الرسالة.",
        ))  # fmt: skip
    return found


def _no_port(ports: list[Port]) -> ContractRefused:
    why = [words for one in ports for words in one.problems]
    if not ports:
        return ContractRefused("The WSDL has no port: it describes no service.", "لا منفذ في WSDL: لا يصف خدمة.")
    en, ar = (why[0].en, why[0].ar) if why else ("the ports have no operations.", "لا عمليات للمنافذ.")
    return ContractRefused(f"No port of the WSDL can be used: {en}", f"لا يمكن استعمال أي منفذ: {ar}")


def _mtom(operation: SoapOperation, request: Field) -> str:
    """Why a request goes as MTOM: it has bytes, and the contract says so in one of its ways."""
    binary = [each for each in request.walk() if each.form == "bytes" and not each.key.startswith("@")]
    if binary and operation.mtom:
        return "the WSDL's policy asks for it"
    if any(each.media for each in binary):
        return "guessed: the schema says of what type the bytes are (expectedContentTypes); confirm, or false"
    return ""


class _Drafting:
    """Drafts the operations of one port."""

    def __init__(self, schemas: SchemaSet, port: Port, report: Report) -> None:
        self._samples = XsdSamples(schemas)
        self._fields = XsdFields(schemas)
        self._port = port
        self._report = report

    def drafts(self) -> list[Draft]:
        """All that can be drafted; a sentence for each other."""
        names: set[str] = set()
        drafts = []
        for number, operation in enumerate(self._port.operations.values()):
            if number >= _MOST_OPERATIONS:
                self._leave_out(operation, f"a package has at most {_MOST_OPERATIONS} operations")
                continue
            try:
                drafts.append(self._draft(operation, kebab(operation.name, names)))
            except NoSample as error:
                self._leave_out(operation, str(error))
        pair_inquiries(
            {one.name: one.guess for one in drafts},
            {one.name: one.wire for one in drafts},
            {one.name: one.given for one in drafts},
        )
        return drafts

    def _leave_out(self, operation: SoapOperation, why: str) -> None:
        self._report.left_out.append(Words(
            f"{operation.place}: The operation {operation.name} is left out: {why}.",
            f"{operation.place}: تُركت العملية {operation.name}: {in_arabic(why)}.",
        ))  # fmt: skip

    def _draft(self, operation: SoapOperation, name: str) -> Draft:
        request, answer = self._root(operation.request), self._root(operation.response)
        request_nodes, answer_nodes = self._nodes(operation.request), self._nodes(operation.response)
        wild = self._samples.wildcards
        seen: set[int] = set()
        response_seen: set[int] = set()
        given = of_xml(request, request_nodes[0], seen, wild) if request_nodes else {}
        if answer_nodes:
            file_xml(answer, answer_nodes[0])
            of_xml(answer, answer_nodes[0], response_seen)
        made = Draft(
            name=name,
            wire=operation.name,
            guess=guess(operation.name),
            documentation=operation.documentation,
            sections={"body": request},
            place=operation.place,
            answer=answer,
            given=given if isinstance(given, dict) else {"body": given},
            whole={"body": plain(request_nodes[0], wild) if request_nodes else {}},
            seen=seen,
            response=envelope(self._port.version, answer_nodes),
            response_seen=response_seen,
            fault=fault(self._port.version),
            mtom=_mtom(operation, request),
        )
        if request.whole:
            request.name, made.given = "body", made.whole
        self._codes(made, answer_nodes[0] if answer_nodes else None)
        return made

    def _root(self, message: Message) -> Field:
        if message.wrapper is None:
            part = message.parts[0] if message.parts else None
            if part is None:
                root = Field("", "", "message")
            elif part.element is not None:
                root = self._fields.element(part.element)
            else:
                root = self._fields.wrapper([(part.name, part.type or "")]).children[0]
        else:
            root = self._fields.wrapper([(part.name, part.type or "") for part in message.parts if part.type])
        root.name, root.form = "", "object"
        unique_names(root.children)
        return root

    def _nodes(self, message: Message) -> list[Any]:
        if message.wrapper is None:
            return [
                self._samples.element(part.element)
                if part.element is not None
                else self._samples.typed(part.name, part.type or "")
                for part in message.parts
            ]
        root = etree.Element(
            message.wrapper,
            nsmap={"m": message.wrapper[1:].partition("}")[0]} if message.wrapper.startswith("{") else None,
        )
        for part in message.parts:
            if part.type is not None:
                root.append(self._samples.typed(part.name, part.type))
            else:
                root.append(self._samples.element(part.element or ""))
        return [root]

    @staticmethod
    def _codes(draft: Draft, answer: Any) -> None:
        expression, _ = code_expression(draft)
        if not expression.startswith("answer"):
            draft.codes = {"answered": "succeeded"}
            return
        way = code_field(draft.answer, required=True) or []
        node = answer
        for step in way:
            if step.key.startswith("@"):
                value = next(
                    (text for name, text in node.attrib.items() if name.rpartition("}")[2] == step.key[1:]), ""
                )
                draft.codes = {value: "succeeded"}
                return
            if step.key == "#text":
                break
            node = next(one for one in node if one.tag.rpartition("}")[2] == step.key)
        draft.codes = {(node.text or "").strip() if way[-1].form == "integer" else node.text or "": "succeeded"}
        facets = way[-1].facets
        if facets.startswith("one of "):
            listed = facets.removeprefix("one of ").split(" | ")
            draft.other_codes = [code for code in listed if code not in draft.codes and code != "…"]
