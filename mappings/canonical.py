"""The canonical document: what every mapping reads, whatever the channel, the service or the institution."""

from typing import Any, Literal, NotRequired, TypedDict

Language = Literal["ar", "en"]
Assurance = Literal["low", "substantial", "high"]


class Name(TypedDict):
    """A name in its four parts, in the spelling that the citizen gave."""

    given: str
    father: str
    mother: str
    family: str


class Applicant(TypedDict):
    """The citizen for whom the request is made."""

    national_number: str  #: 11 digits, folded.
    name: Name
    latin_name: NotRequired[Name]
    birth_date: NotRequired[str]  #: YYYY-MM-DD.
    mobile: NotRequired[str]  #: +9639XXXXXXXX.
    account: NotRequired[str]  #: The channel's own id of the citizen's account.
    assurance: Assurance


class RequestFacts(TypedDict):
    """The request that the act belongs to."""

    id: str
    service: str
    language: Language
    accepted_at: str  #: RFC 3339, UTC.


class Fee(TypedDict):
    """Exact money (see `mappings.money`)."""

    amount_minor: int
    currency: str
    denomination: str


class Payer(TypedDict):
    """Who pays; may be another person than the applicant."""

    mobile: str


class Quote(TypedDict):
    """A price that the institution named."""

    id: str
    amount_minor: int
    currency: str
    denomination: str
    valid_until: str | None  #: RFC 3339, UTC.


class Action(TypedDict):
    """A citizen's answer to a next action of the institution."""

    kind: str
    answer: dict[str, Any]  #: As the action's JSON Schema describes it.


class Document(TypedDict):
    """The whole document of one call; `connectors.kit.contract.Call.document`."""

    operation_id: str  #: Ours, unique for ever, the same for every resend of the same act.
    request: RequestFacts
    applicant: Applicant
    input: dict[str, Any]  #: As the service's JSON Schema describes it.
    delivery: dict[str, Any]
    fee: Fee | None
    payer: Payer | None
    reference: str  #: The institution's reference of the act, or "".
    subject_operation_id: str  #: For inquire, confirm, resend and a citizen's answer: the act that is meant.
    steps: dict[str, dict[str, Any]]  #: Step kind -> data of its outcome.
    quote: NotRequired[Quote | None]  #: The price that is in force, once the institution named one.
    action: NotRequired[Action | None]  #: While a citizen's answer is handed over: what was asked and answered.
    #: Kind -> {content (base64, or an Upload), media_type, size, sha256 (hex)}; for operations that read them.
    attachments: NotRequired[dict[str, dict[str, Any]]]
