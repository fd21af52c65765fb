"""An institution that is played from data alone: its contract, its sandbox.toml, its test persons and its samples."""

import sys
from collections.abc import Mapping
from typing import Any

from connectors.kit.manifest import load_manifest
from connectors.kit.sandbox_callers import Callers
from connectors.kit.sandbox_document import load_document
from connectors.kit.sandbox_institution import Answer, Demand, Desk, Heard, Institution
from connectors.kit.sandbox_rest import RestSide
from connectors.kit.sandbox_rules import RulePlayer
from connectors.kit.sandbox_soap import SoapSide
from connectors.kit.sandbox_tokens import TokenStore


class DataInstitution(Institution):
    """Plays one package folder."""

    def __init__(self, desk: Desk) -> None:
        """Raises ManifestError: one sentence with file and key."""
        super().__init__(desk)
        manifest = load_manifest(desk.folder)
        document = load_document(desk.folder)
        self._tokens = TokenStore(desk, document.tokens.lifetime_seconds)
        self._callers = Callers(manifest, desk, self._tokens)
        self._player = RulePlayer(document, desk, self.persons, self._tokens)
        side = SoapSide if manifest.kind == "soap" else RestSide
        self._side = side(manifest, document, desk, self._callers)
        if isinstance(self._side, RestSide):
            self._side.not_found = lambda: self._side.speak("", self._player.apart("not_found"))

    def hear(self, heard: Heard) -> Demand:
        """Understand a request by the contract. Raises NotUnderstoodError."""
        return self._side.hear(heard)

    def answer(self, demand: Demand) -> Answer:
        """Check who calls, act as the rules say, and answer."""
        if demand.content is None:
            return self._callers.grant(demand.heard)
        refusal = self._callers.refusal(demand.heard)
        if refusal is not None:
            return refusal
        try:
            return self._side.speak(demand.operation, self._player.play(demand.operation, demand.content))
        except ValueError as error:  # a rule of the file does not fit: its author must see it, in one sentence
            sys.stderr.write(f"{error}\n")
            return Answer(f"{error}\n".encode(), status=500, content_type="text/plain; charset=utf-8")

    def fault(self, operation: str) -> Answer:
        """The institution's own technical error."""
        return self._side.speak(operation, self._player.apart("broken"))

    def forget_tokens(self) -> None:
        """Every access token is refused from now on."""
        self._tokens.forget()

    def messages(self) -> list[Mapping[str, Any]]:
        """The messages that went out."""
        return self._player.messages

    def act(self, action: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        """A deed of the staff, by operation id. Raises KeyError."""
        if action not in self._player.document.acts:
            raise KeyError(action)
        self._player.act(action, facts["operation_id"])
        return {"operation_id": facts["operation_id"], "action": action}

    def reset(self) -> None:
        """Forget tokens, nonces and messages; what is kept stands in the ledger's memory."""
        self._callers.forget()
        self._player.messages.clear()
