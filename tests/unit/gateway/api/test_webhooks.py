"""Webhooks over the API: what is refused, who sees whose, and what an operator may do."""

import asyncio

import pytest

from gateway.api.openapi_webhooks import ADDITIONS, ROTATIONS
from tests.unit.gateway.api.test_openapi import resolved

HERE = "https://93.184.216.34/jisr"


async def act(api, method, path, who="web", body=None, key=None):
    more = {"Idempotency-Key": key} if key else {}
    return await api.client.request(method, path, headers={**api.headers(who), **more}, json=body)


async def added(api, who="web", **more):
    answer = await act(api, "POST", "/v1/webhooks", who, {"url": HERE, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def fits(name, answer):
    return [error.message for error in resolved(name).iter_errors(answer)] == []


async def test_a_webhook_goes_its_whole_way_as_the_reference_says(api):
    webhook = await added(api, events=["jisr.request.accepted"])
    assert fits("NewWebhook", webhook)
    assert webhook["secret"].startswith("whsec_")
    again = await act(api, "POST", "/v1/webhooks", body={"url": HERE})
    assert (again.status_code, again.json()["id"], "secret" in again.json()) == (200, webhook["id"], False)
    path = f"/v1/webhooks/{webhook['id']}"
    request = (await api.submit()).json()
    log = (await api.get(f"{path}/deliveries?request={request['id']}")).json()
    assert fits("DeliveryPage", log)
    assert [(line["type"], line["state"]) for line in log["items"]] == [("jisr.request.accepted", "waiting")]
    pinged = await act(api, "POST", f"{path}/ping")
    assert (pinged.status_code, pinged.json()["type"]) == (202, "jisr.webhook.ping")
    first = (await api.get(f"{path}/deliveries?limit=1")).json()
    rest = (await api.get(f"{path}/deliveries?limit=1&cursor={first['next_cursor']}&state=waiting")).json()
    assert [first["items"][0]["id"], rest["items"][0]["id"]] == [pinged.json()["id"], log["items"][0]["id"]]
    one = await act(api, "POST", f"{path}/deliveries/{log['items'][0]['id']}/redeliver")
    assert (one.status_code, fits("Delivery", one.json()), one.json()["tries"]) == (202, True, [])
    assert (await act(api, "POST", f"{path}/redeliver")).json() == {"count": 0}
    for name in sorted(ROTATIONS):
        rotated = await act(api, "POST", f"{path}/rotate", body=ROTATIONS[name]["value"])
        assert rotated.status_code == 200, rotated.text
        assert rotated.json()["secret"] != webhook["secret"]
    metrics = (await api.get("/metrics")).text
    assert 'jisr_webhooks_waiting{channel="web"} 2.0' in metrics
    assert (await act(api, "POST", f"{path}/disable")).json()["state"] == "disabled"
    assert (await act(api, "POST", f"{path}/ping")).json()["code"] == "webhook_disabled"
    assert (await act(api, "POST", f"{path}/enable")).json()["state"] == "active"
    listed = (await api.get("/v1/webhooks")).json()
    assert fits("WebhookList", listed)
    assert [each["waiting"] for each in listed["items"]] == [2]
    assert (await act(api, "DELETE", path)).status_code == 204
    assert (await api.get(path)).status_code == 404
    assert (await api.get("/v1/webhooks")).json()["items"] == []
    assert all(webhook["secret"] not in str(line) for line in api.logs)


async def test_d1_d2_d3_under_a_key_each_act_is_done_once_and_answered_again(api):
    """A second rotation whose answer was lost would end the secret that the receiver still has."""
    body = {"url": HERE}
    webhook = (await act(api, "POST", "/v1/webhooks", body=body, key="k-1")).json()
    again = await act(api, "POST", "/v1/webhooks", body=body, key="k-1")
    assert (again.status_code, again.json()["secret"]) == (201, webhook["secret"])
    assert again.headers["idempotency-replayed"] == "true"
    path = f"/v1/webhooks/{webhook['id']}"
    for place, sent in (("rotate", {"overlap_hours": 0.5}), ("ping", None), ("redeliver", None)):
        calls = [act(api, "POST", f"{path}/{place}", body=sent, key=f"k-{place}") for _ in range(8)]
        answers = await asyncio.gather(*calls)
        assert {answer.status_code for answer in answers} <= {200, 202}, answers[0].text
        assert len({answer.text for answer in answers}) == 1
        assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    assert (await api.get(path)).json()["waiting"] == 1, "one ping"
    event = (await api.get(f"{path}/deliveries")).json()["items"][0]["id"]
    once = await act(api, "POST", f"{path}/deliveries/{event}/redeliver", key="k-again")
    assert once.status_code == 202
    for place, sent, key in (
        ("/rotate", {"overlap_hours": 2.0}, "k-rotate"),
        ("/ping", None, "k-rotate"),
        (f"/deliveries/{event}/redeliver", None, "k-ping"),
    ):
        reused = await act(api, "POST", f"{path}{place}", body=sent, key=key)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert (await act(api, "POST", f"{path}/ping", key="a b")).json()["code"] == "idempotency_key_invalid"
    theirs = await act(api, "POST", "/v1/webhooks", "other", {"url": HERE}, key="k-1")
    assert (theirs.status_code, theirs.json()["id"] != webhook["id"]) == (201, True)
    missing = "/v1/webhooks/01890000-0000-7000-8000-000000000000/ping"
    assert (await act(api, "POST", missing, key="k-free")).status_code == 404
    assert (await act(api, "POST", f"{path}/ping", key="k-free")).status_code == 202, "a refusal takes no key"
    read = api.services.store.read
    kept = await read(lambda conn: conn.exec_driver_sql("SELECT answer FROM acts").scalars().all())
    assert all(webhook["secret"].encode() not in bytes(answer) for answer in kept), "it is sealed"


async def test_a8_nobody_sees_or_moves_a_webhook_of_another_channel(api):
    webhook = await added(api)
    path = f"/v1/webhooks/{webhook['id']}"
    event = (await act(api, "POST", f"{path}/ping")).json()["id"]
    for method, place in (
        *(("GET", path), ("DELETE", path), ("POST", f"{path}/rotate"), ("POST", f"{path}/ping")),
        *(("POST", f"{path}/disable"), ("POST", f"{path}/enable"), ("POST", f"{path}/redeliver")),
        *(("GET", f"{path}/deliveries"), ("GET", f"{path}/deliveries/{event}")),
        ("POST", f"{path}/deliveries/{event}/redeliver"),
    ):
        answer = await act(api, method, place, "other")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), place
        assert (await act(api, method, place, "school")).status_code == 403
    assert (await api.get("/v1/webhooks", who="other")).json()["items"] == []
    assert (await api.get(path)).json()["state"] == "active"
    mine = await added(api, "other")
    assert (await api.get(f"/v1/webhooks/{mine['id']}/deliveries/{event}", who="other")).status_code == 404


async def test_an_operator_sees_all_and_adds_for_a_channel(api):
    webhook = await added(api)
    theirs = await added(api, "layla", channel="other")
    assert theirs["channel"] == "other"
    listed = (await api.get("/v1/webhooks", who="layla")).json()["items"]
    assert {each["id"] for each in listed} == {webhook["id"], theirs["id"]}
    for body, pointer in (({"url": HERE}, "/channel"), ({"url": HERE, "channel": "nobody"}, "/channel")):
        answer = await act(api, "POST", "/v1/webhooks", "layla", body)
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await act(api, "POST", "/v1/webhooks", body={"url": HERE, "channel": "other"})).status_code == 422


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "http://93.184.216.34/", "x", ""])
async def test_a6_an_address_that_leads_inwards_is_refused_when_it_is_saved(api, url):
    answer = await act(api, "POST", "/v1/webhooks", body={"url": url, "events": ["jisr.request.completed"]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/url"
    assert error["message"]["ar"]
    assert (await api.get("/v1/webhooks")).json()["items"] == []


async def test_what_is_wrong_in_a_body_is_told_at_once_and_there_are_only_so_many(api):
    wrong = {"url": "https://10.0.0.1/", "events": ["jisr.request.finished"]}
    answer = await act(api, "POST", "/v1/webhooks", body=wrong)
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/url", "/events"}
    answer = await act(api, "POST", "/v1/webhooks", body={"url": HERE, "secret": "whsec_mine"})
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [("/secret", "unknown_field")]
    for number in range(5):
        assert (await act(api, "POST", "/v1/webhooks", body={"url": f"{HERE}/{number}"})).status_code == 201
    full = await act(api, "POST", "/v1/webhooks", body={"url": f"{HERE}/6"})
    assert (full.status_code, full.json()["code"]) == (409, "too_many_webhooks")


def test_the_examples_of_the_reference_fit_it():
    assert all(resolved("WebhookAddition").is_valid(each["value"]) for each in ADDITIONS.values())
    assert all(resolved("WebhookRotation").is_valid(each["value"]) for each in ROTATIONS.values())
