"""An institution that is played from data alone: its contract, its sandbox.toml, its test persons and its samples."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from connectors.kit.manifest import Manifest, load_manifest
from connectors.kit.openapi_contract import OpenApi
from connectors.kit.package import load_package
from connectors.kit.sample_values import NoSample
from connectors.kit.sandbox.callers import Callers
from connectors.kit.sandbox.cases import load_cases
from connectors.kit.sandbox.document import SandboxDocument, load_document
from connectors.kit.sandbox.encoding import encoding_of, in_encoding
from connectors.kit.sandbox.faults import html_answer
from connectors.kit.sandbox.institution import XML, Answer, Callback, Demand, Desk, Heard, Institution, Persons
from connectors.kit.sandbox.mtom import as_mtom
from connectors.kit.sandbox.rest import RestSide
from connectors.kit.sandbox.rules import RulePlayer
from connectors.kit.sandbox.samples import SamplePlayer
from connectors.kit.sandbox.soap import SoapSide
from connectors.kit.sandbox.statements import StatementBooks
from connectors.kit.sandbox.tokens import TokenStore


class DataInstitution(Institution):
    """Plays one package folder: an operation with rules by its rules, any other from its samples."""

    def __init__(self, desk: Desk) -> None:
        """Raises ManifestError: one sentence with file and key; SettingError for keys that cannot be read."""
        super().__init__(desk)
        manifest = load_manifest(desk.folder)
        document = load_document(desk.folder)
        self.manifest = manifest
        self._tokens = TokenStore(desk, document.tokens.lifetime_seconds)
        self._callers = Callers(manifest, desk, self._tokens)
        self._rules = RulePlayer(document, desk, self.persons, self._tokens)
        self._side = (SoapSide if manifest.kind == "soap" else RestSide)(manifest, document, desk, self._callers)
        if isinstance(self._side, RestSide):
            self._side.not_found = lambda: self._side.speak("", self._rules.apart("not_found"))
        self._openapi = OpenApi(desk.folder, manifest) if manifest.rest is not None and manifest.rest.openapi else None
        self._samples = self._sample_player(manifest, document)
        self.statements = StatementBooks(manifest, document, desk)

    def _sample_player(self, manifest: Manifest, document: SandboxDocument) -> SamplePlayer | None:
        """For the operations without rules; None when each has some."""
        without = [name for name in manifest.operations if not self._rules.knows(name)]
        if not without:
            return None
        player = SamplePlayer(load_package(self.desk.folder), document, self.desk, self.persons)
        media_type = self._side.media_type if isinstance(self._side, SoapSide) else XML
        for name in without:
            player.add(name, load_cases(self.desk.folder, name, media_type), self._generated(name))
        if not self.persons.listed:
            self.persons = player.take(Persons.of(player.people()))
        return player

    def _generated(self, name: str) -> Callable[[], Answer]:
        def made() -> Answer:
            if isinstance(self._side, SoapSide):
                return self._side.sample(name)
            if self._openapi is None:
                return Answer(b"{}")
            status, body = self._openapi.answer(name)
            return Answer(b"" if body is None else json.dumps(body, ensure_ascii=False).encode(), status)

        return made

    def hear(self, heard: Heard) -> Demand:
        """Understand a request by the contract. Raises NotUnderstoodError."""
        return self._side.hear(heard)

    def answer(self, demand: Demand) -> Answer:
        """Check who calls, act as the rules say, and answer."""
        return self._answer(demand, None)

    def answer_as(self, demand: Demand, case: str) -> Answer:
        """See Institution."""
        return self._answer(demand, case)

    def _answer(self, demand: Demand, case: str | None) -> Answer:
        if demand.content is None:
            return self._callers.grant(demand.heard)
        refusal = self._callers.refusal(demand.heard) or self._not_valid(demand)
        if refusal is not None:
            return refusal
        try:
            answer = self._played(demand, case)
        except (
            ValueError,
            NoSample,
        ) as error:  # a rule or a sample does not fit: its author must see it, in a sentence
            sys.stderr.write(f"{error}\n")
            return Answer(f"{error}\n".encode(), status=500, content_type="text/plain; charset=utf-8")
        if isinstance(self._side, SoapSide):
            answer = self._side.related(demand.operation, answer, demand.heard.body)
        return answer

    def finished(self, answer: Answer) -> Answer:
        """See Institution."""
        if not isinstance(self._side, SoapSide) or answer.content_type != self._side.media_type:
            return answer
        if self._callers.security is not None:
            sealed = self._callers.security.seal(answer.body)
            answer = answer if sealed is answer.body else replace(answer, body=sealed)
        body, kind = in_encoding(answer.body, answer.content_type, encoding_of(self.manifest))
        if body is not answer.body:
            answer = replace(answer, body=body, content_type=kind)
        return as_mtom(answer) if self._side.mtom else answer

    def _played(self, demand: Demand, case: str | None) -> Answer:
        if self._samples is not None and self._samples.knows(demand.operation):
            return self._samples.play(demand.operation, demand.content, case)
        spoken = self._rules.play(demand.operation, demand.content, case)
        if spoken.page is not None:
            return html_answer(spoken.page, spoken.status)
        return self._side.speak(demand.operation, spoken)

    def _not_valid(self, demand: Demand) -> Answer | None:
        """What is said to a REST request that the OpenAPI document does not allow."""
        broken = self._openapi.violation(demand.operation, demand.content) if self._openapi is not None else None
        if broken is None:
            return None
        spoken = self._rules.apart("not_valid")
        if spoken.body:
            return self._side.speak("", spoken)
        problem = f"{broken.pointer} does not satisfy {broken.rule}"
        return Answer(msgspec.json.encode({"error": "not_valid", "problem": problem}), status=spoken.status or 422)

    def fault(self, operation: str) -> Answer:
        """The institution's own technical error."""
        sample = self._samples.fault(operation) if self._samples is not None else None
        if sample is not None:
            return sample
        spoken = self._rules.apart("broken")
        if isinstance(self._side, SoapSide) and spoken.fault is None:
            return self._side.broken()
        return self._side.speak(operation, spoken)

    def forget_tokens(self) -> None:
        """Every access token is refused from now on."""
        self._tokens.forget()

    def messages(self) -> list[Mapping[str, Any]]:
        """The messages that went out."""
        return self._rules.messages + (self._samples.messages if self._samples is not None else [])

    def take_callbacks(self) -> list[Callback]:
        """See Institution."""
        due = self._rules.due
        if due:
            self._rules.due = []
        return due

    def act(self, action: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """A deed of the staff, by operation id. Raises KeyError."""
        if action not in self._rules.document.acts:
            raise KeyError(action)
        self._rules.act(action, facts["operation_id"])
        return {"operation_id": facts["operation_id"], "action": action}

    def reset(self) -> None:
        """Forget tokens, nonces and messages; what is kept stands in the ledger's memory."""
        self._callers.forget()
        self._rules.messages.clear()
        if self._samples is not None:
            self._samples.messages.clear()
