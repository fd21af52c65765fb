"""Who calls: keys are believed for thirty seconds at most, and everything that is no valid key is answered alike."""

import pytest
from sqlalchemy import Connection, select

from gateway.security.principals import Kind, new_key
from gateway.store.principals import revoke_principal
from gateway.store.tables import principals
from tests.unit.gateway.api.conftest import Api


@pytest.mark.parametrize(
    "header",
    [
        "", "Bearer", "Bearer ", "Bearer x", "Basic d2ViOng=", "bearer jisr_channel_web_short",
        f"Bearer {new_key(Kind.CHANNEL, 'web')}", f"Bearer {new_key(Kind.CHANNEL, 'nobody')}", "Bearer \x00", "Bearer " + "k" * 9000,
    ],
    ids=range(10),
)  # fmt: skip
async def test_a12_what_is_no_valid_key_is_answered_alike(api: Api, header: str) -> None:
    answer = await api.client.get("/v1/services", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a12_no_header_and_two_headers_are_no_identity(api: Api) -> None:
    assert (await api.client.get("/v1/services")).status_code == 401
    twice = [("Authorization", f"Bearer {api.keys['web']}")] * 2
    assert (await api.client.get("/v1/services", headers=twice)).status_code == 401


async def test_a12_a_revoked_key_is_refused_within_a_minute_without_a_restart(api: Api) -> None:
    assert (await api.get("/v1/services")).status_code == 200
    await api.services.store.write(revoke_principal, Kind.CHANNEL, "web")
    api.services.clock.advance(30)
    assert (await api.get("/v1/services")).status_code == 401
    assert (await api.get("/v1/services", who="other")).status_code == 200


async def test_a12_the_store_holds_no_usable_key(api: Api) -> None:
    def dump(conn: Connection) -> str:
        return str(conn.execute(select(principals)).all())

    text = await api.services.store.read(dump)
    assert text.count("b'") >= len(api.keys)
    for key in api.keys.values():
        assert key not in text
        assert key[-43:] not in text


#: A verifier is a third party: an employer, an embassy. It is told nothing about a person.
OPEN_TO_ALL = {"/v1/documents/{digest}/verify"}


async def test_every_endpoint_under_v1_asks_for_a_key_but_that_of_verifiers(api: Api) -> None:
    paths = api.app.routes
    asked = 0
    for route in paths:
        if not route.path.startswith("/v1") or route.path_format in OPEN_TO_ALL:
            continue
        for method in sorted(route.methods - {"OPTIONS"}):
            path = route.path_format.replace("{request_id}", "x").replace("{service_id}", "x")
            answer = await api.client.request(method, path)
            assert answer.status_code == 401, (method, path)
            asked += 1
    assert asked >= 12
