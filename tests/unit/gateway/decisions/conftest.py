"""The real gateway before the wallet (money) and before an office that answers as each test wants, with two operators."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.security.principals import CHECKER, MAKER, Kind, new_key
from gateway.store.engine import Store
from gateway.store.principals import add_principal
from tests.unit.gateway.reconciliation.conftest import config, scene

__all__ = ["config", "scene"]
#: Name -> roles.
OPERATORS = {"maker": [MAKER], "checker": [CHECKER], "both": [MAKER, CHECKER], "other": [MAKER, CHECKER], "plain": []}


@dataclass(slots=True)
class People:
    """Operators with a key each, at the API."""

    client: httpx.AsyncClient
    store: Store
    keys: dict[str, str] = field(default_factory=dict)

    async def hire(self) -> None:
        for name, roles in OPERATORS.items():
            self.keys[name] = new_key(Kind.OPERATOR, name)
            await self.store.write(
                lambda conn, name=name, roles=roles: add_principal(
                    conn, name, self.keys[name], kind=Kind.OPERATOR, name=name, roles=roles
                )
            )

    async def ask(self, who: str, path: str, method: str = "GET", body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return await self.client.request(method, f"/v1/admin/{path}", json=body, headers=headers)

    async def doubt(self, request_id: str, who: str = "plain") -> dict[str, Any]:
        answer = await self.ask(who, f"doubts/{request_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def propose(self, request_id: str, action: str, who: str = "maker", **more: Any) -> httpx.Response:
        body = {"action": action, "reason": "told by telephone", **more}
        return await self.ask(who, f"doubts/{request_id}/decisions", "POST", body)

    async def proposed(self, request_id: str, action: str, who: str = "maker", **more: Any) -> dict[str, Any]:
        answer = await self.propose(request_id, action, who, **more)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def approve(self, decision: dict[str, Any], who: str = "checker") -> httpx.Response:
        return await self.ask(who, f"decisions/{decision['id']}/approve", "POST", {"digest": decision["digest"]})

    async def refuse(self, decision: dict[str, Any], who: str = "checker") -> httpx.Response:
        return await self.ask(who, f"decisions/{decision['id']}/refuse", "POST", {"reason": "not so"})

    async def decide(self, request_id: str, action: str, **more: Any) -> dict[str, Any]:
        """Proposed by one and approved by another."""
        answer = await self.approve(await self.proposed(request_id, action, **more))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def people(scene) -> People:
    """The operators of the wallet's scene."""
    hired = People(scene.client, scene.built.store)
    await hired.hire()
    return hired


def codes(*answers: httpx.Response) -> list[tuple[int, str]]:
    """Status and problem code of each refusal."""
    return [(answer.status_code, answer.json()["code"]) for answer in answers]
