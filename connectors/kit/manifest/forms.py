"""The form of manifest.toml: every table and key, with what it means."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from connectors.kit.contract import Effect, Operation, PaysIn
from connectors.kit.hours import OpeningHours
from connectors.kit.lists import ListStyle
from connectors.kit.manifest.authentication import Authentication, MessageSignature, NoAuthentication, X509Signature
from connectors.kit.manifest.callbacks import DeclaredCallback
from connectors.kit.manifest.errors import SettingError
from connectors.kit.manifest.settings import Setting, SettingValue
from connectors.kit.manifest.statements import DeclaredStatement

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
OPERATION = re.compile(r"[a-z][a-z0-9-]{0,40}")
_REST_WIRE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^\s?#]*)")

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Role = Literal[
    "check",
    "quote",
    "submit",
    "inquire",
    "cancel",
    "initiate",
    "confirm",
    "resend",
    "history",
    "refund",
    "inquire_refund",
    "statement",
    "token",
]
#: The roles that only read, so that their effect is `safe`; the others change something.
READING_ROLES = frozenset({"check", "quote", "inquire", "history", "inquire_refund", "statement", "token"})
OpenTimes = tuple[
    Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")], ...
]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Title(_Strict, frozen=True):
    """The institution's name in both languages."""

    ar: Annotated[str, Meta(description="In Arabic.")]
    en: Annotated[str, Meta(description="In English.")]


class Http(_Strict, frozen=True):
    """The pool of the institution."""

    connections: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        Meta(description="At most so many over all operations; left out: the operations' places are the limit."),
    ] = None
    connect_seconds: Annotated[Seconds, Meta(description="To connect, within the operation's deadline.")] = 5.0
    trust: Annotated[
        str,
        Meta(
            description="A setting of type pem with the authorities that the institution's certificate may come from; "
            "left out, or the setting without a value: those of the system."
        ),
    ] = ""


class Rest(_Strict, frozen=True):
    """The contract of a REST institution."""

    openapi: Annotated[str, Meta(description="The OpenAPI document inside the package: `openapi/service.json`.")] = ""


Encoding = Literal["utf-8", "utf-8-bom", "utf-16", "windows-1256", "iso-8859-6"]


class Soap(_Strict, frozen=True):
    """Where the WSDL is and how its faults are read."""

    wsdl: Annotated[str, Meta(description="The WSDL inside the package; it is never fetched at run time.")]
    path: Annotated[str, Meta(description="Where messages are posted, appended to base_url.")]
    port: Annotated[str | None, Meta(description="The port; only needed when the WSDL has several.")] = None
    fault_code: Annotated[
        str, Meta(description="JMESPath expression over `fault` (code, text, detail): the code that codes.toml lists.")
    ] = "fault.code"
    fault_message: Annotated[str, Meta(description="JMESPath expression: the fault's words.")] = "fault.text"
    encoding: Annotated[
        Encoding, Meta(description="What answers are encoded in; anything else is unreadable. Requests are UTF-8.")
    ] = "utf-8"
    fault_opens_at: Annotated[
        str,
        Meta(
            description="JMESPath expression with the mapping functions: of a fault that codes.toml lists as `closed`, "
            "the moment of the next opening (RFC 3339)."
        ),
    ] = "`null`"
    addressing: Annotated[
        bool | None,
        Meta(
            description="WS-Addressing 1.0: requests carry Action, MessageID, ReplyTo and To, and an answer must name "
            "the message that it relates to. Left out: as the WSDL asks for it."
        ),
    ] = None
    xsi_types: Annotated[
        bool,
        Meta(description="Messages say the type of every element (`xsi:type`), as older rpc services want it."),
    ] = False


class Week(_Strict, frozen=True):
    """The opening times of each day, as `08:00-15:30`; a day that is left out is closed."""

    sunday: OpenTimes = ()
    monday: OpenTimes = ()
    tuesday: OpenTimes = ()
    wednesday: OpenTimes = ()
    thursday: OpenTimes = ()
    friday: OpenTimes = ()
    saturday: OpenTimes = ()


class Hours(_Strict, frozen=True):
    """When the institution's service works; left out: always."""

    zone: Annotated[str, Meta(description="The time zone of the times: `Asia/Damascus`.")]
    week: Annotated[Week, Meta(description="The opening times of each day.")]
    holidays: Annotated[
        tuple[date, ...], Meta(description="Dates on which it is closed all day, written as 2026-04-17.")
    ] = ()

    def opening_hours(self) -> OpeningHours:
        """The same, ready to be asked. Raises ValueError for an unknown zone and for times that overlap."""
        week = self.week
        days = (
            week.monday,
            week.tuesday,
            week.wednesday,
            week.thursday,
            week.friday,
            week.saturday,
            week.sunday,
        )
        return OpeningHours.read(self.zone, days, self.holidays)


class DeclaredPaysIn(_Strict, frozen=True):
    """What a payment operation counts amounts in."""

    denomination: Annotated[
        str,
        Meta(description="As `SYP-new`; an amount of another denomination is converted when that is exact."),
    ]
    unit: Annotated[
        Literal["minor", "major", "whole"],
        Meta(description="`minor` 2500, `major` 25.00, `whole` 25: an amount with a rest cannot be paid."),
    ]


class DeclaredOperation(_Strict, frozen=True):
    """One operation as the manifest writes it."""

    wire: Annotated[
        str, Meta(description="REST: method and path, `POST /v1/things/{id}`. SOAP: the operation's name in the WSDL.")
    ]
    role: Annotated[Role, Meta(description="What it is for; a role that no operation has cannot be done.")]
    effect: Annotated[
        Effect,
        Meta(
            description="What a repeat does: `safe` reads only, `idempotent` acts once per operation id, `inquirable` "
            "asks before it asks again, `none` is resolved by people. The conformance suite proves it."
        ),
    ]
    deadline_seconds: Annotated[Seconds, Meta(description="In total: connect, send and read.")] = 30.0
    concurrency: Annotated[int, Meta(ge=1, le=1000, description="Places in its lane.")] = 16
    rate_per_second: Annotated[
        Annotated[float, Meta(gt=0, le=10_000)] | None,
        Meta(description="Calls a second that the institution bears, of all workers together; left out: no limit."),
    ] = None
    inquire: Annotated[
        str | None, Meta(description="The operation that tells what became of this one; needed for `inquirable`.")
    ] = None
    visibility_delay_seconds: Annotated[
        float, Meta(ge=0, description="How long the institution may need until an inquiry sees the act.")
    ] = 60.0
    max_response_bytes: Annotated[
        int, Meta(ge=1024, le=256 * 1024 * 1024, description="The largest answer, decompressed.")
    ] = 20 * 1024 * 1024
    secrets: Annotated[
        tuple[str, ...],
        Meta(description="Inputs that live for one exchange; the mapping reads `otp` as `secrets.otp`."),
    ] = ()
    personal_in_address: Annotated[
        tuple[str, ...],
        Meta(
            description="What the institution's contract wants in path or query (`applicant.national_number`); "
            "the conformance suite refuses anything else personal there, because proxies and logs keep addresses."
        ),
    ] = ()
    lists: Annotated[
        Mapping[str, ListStyle],
        Meta(
            description="REST: the parameters of the query that are lists, and how each is written: `repeat` "
            "(`id=1&id=2`), `comma` (`id=1,2`), `space`, `pipe`. Lists in path and headers have commas by themselves."
        ),
    ] = {}
    hours: Annotated[
        Literal["institution", "always"],
        Meta(description="`always`: it also works outside the opening hours of the table `hours`."),
    ] = "institution"

    pays_in: Annotated[
        DeclaredPaysIn | None,
        Meta(
            description="`initiate` only: what its amounts are counted in; left out: any amount. For what it cannot "
            "say the citizen is offered other ways to pay, before anything is sent."
        ),
    ] = None
    mtom: Annotated[
        bool | None,
        Meta(
            description="SOAP only. `true`: the request goes as MTOM, its base64Binary as attachments; `false`: "
            "inline. Left out: as the WSDL's policy asks."
        ),
    ] = None

    def as_operation(self, name: str, hours: OpeningHours | None = None) -> Operation:
        """The operation of the contract; `hours` are the institution's."""
        return Operation(
            name=name,
            role=self.role,
            effect=self.effect,
            deadline_seconds=self.deadline_seconds,
            concurrency=self.concurrency,
            inquire=self.inquire,
            visibility_delay_seconds=self.visibility_delay_seconds,
            max_response_bytes=self.max_response_bytes,
            secrets=self.secrets,
            hours=hours if self.hours == "institution" else None,
            pays_in=PaysIn(self.pays_in.denomination, self.pays_in.unit) if self.pays_in else None,
            always=self.hours == "always",
            rate_per_second=self.rate_per_second,
        )

    def method_and_path(self) -> tuple[str, str]:
        """The two words of a REST operation's wire. Raises ValueError."""
        match = _REST_WIRE.fullmatch(self.wire)
        if match is None:
            raise ValueError("the wire of a REST operation is a method and a path: POST /v1/things/{id}")
        return match[1], match[2]


class Manifest(_Strict, frozen=True):
    """The manifest of a connector package."""

    name: Annotated[str, Meta(description="The folder's name: lower case letters, digits and underscores.")]
    version: Annotated[str, Meta(description="Of the mapping: a request keeps the version that it started with.")]
    kind: Annotated[Literal["rest", "soap"], Meta(description="The wire that the institution speaks.")]
    title: Annotated[Title, Meta(description="The institution's name in both languages.")]
    settings: Annotated[
        Mapping[str, Setting],
        Meta(description="What the installation must give; `base_url` (scheme, host and port) is always among them."),
    ]
    operations: Annotated[
        Mapping[str, DeclaredOperation], Meta(description="The operations, each with a mapping document of its name.")
    ]
    http: Annotated[Http, Meta(description="The connection pool and whom it trusts.")] = Http()
    rest: Annotated[Rest | None, Meta(description="Only for kind rest.")] = None
    soap: Annotated[Soap | None, Meta(description="Needed for kind soap, and only there.")] = None
    authentication: Annotated[
        Authentication | tuple[Authentication, ...],
        Meta(description="How calls prove who sends them; several kinds are written as `[[authentication]]`."),
    ] = NoAuthentication()
    callbacks: Annotated[
        Mapping[str, DeclaredCallback], Meta(description="The messages that the institution sends by itself.")
    ] = {}
    statements: Annotated[
        Mapping[str, DeclaredStatement], Meta(description="The daily files in which the institution lists its acts.")
    ] = {}
    hours: Annotated[Hours | None, Meta(description="When the institution's service works; left out: always.")] = None
    payer_operator: Annotated[
        str | None, Meta(description="Wallets only: the mobile operator whose numbers it serves.")
    ] = None

    @property
    def proofs(self) -> tuple[Authentication, ...]:
        """The declared kinds of authentication, however many."""
        declared = self.authentication
        return declared if isinstance(declared, tuple) else (declared,)

    @property
    def signs_requests(self) -> bool:
        """Whether a signature covers the request's body, so that the body must be at hand as a whole."""
        return any(isinstance(proof, X509Signature | MessageSignature) for proof in self.proofs)

    def checked_settings(self, values: Mapping[str, Any]) -> dict[str, SettingValue]:
        """`values` with the defaults, each in its type. Raises SettingError for what is missing, unknown or wrong."""
        for name in values:
            if name not in self.settings:
                raise SettingError(f"connector {self.name} has no setting {name}")
        result = {}
        for name, setting in self.settings.items():
            value = values.get(name, setting.default)
            if value is None and setting.optional:
                continue
            if value is None:
                raise SettingError(f"connector {self.name} needs the setting {name}")
            result[name] = setting.checked(f"{self.name}.{name}", value)
        return result
