"""N14: over TLS the receiver must have the certificate of its name, though the connection goes to a pinned address."""

from aiohttp import web

from gateway.webhooks.address import Guard
from gateway.webhooks.desk import WebhookDesk
from gateway.webhooks.post import Post
from tests.unit.connectors.authentication.authority import authority, server_context
from tests.unit.gateway.webhooks.conftest import Receiver, settings_with


async def test_n14_only_the_certificate_of_the_name_is_believed_at_the_pinned_address(scene, tmp_path):
    ours = tmp_path / "ours.pem"
    ours.write_text(authority().certificate)
    receiver, app = Receiver(), web.Application()
    app.add_routes([web.post("/hook", receiver.hear)])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    tls = server_context(authority().issue("receiver", host="channel.example"), tmp_path)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]

    async def resolve(_host, _port):
        return ["127.0.0.1"]

    believing, doubting = (settings_with(plain_http=False, ca_file=file) for file in (str(ours), ""))
    guard = Guard(believing, resolve)
    desk = WebhookDesk(scene.store, guard, believing)
    outcomes = []
    for host, settings in (("channel.example", believing), ("other.example", believing), ("channel.example", doubting)):
        scene.sender._post = Post(guard, settings, scene.clock)
        added = await desk.add("web", f"https://{host}:{port}/hook", ("jisr.request.accepted",))
        endpoint = added.body["id"]
        await scene.accept()
        await scene.run()
        outcomes.append((await desk.log(endpoint, None)).items[0].outcome)
        await desk.remove(endpoint, None)
    assert outcomes == ["delivered", "not_connected", "not_connected"]
    assert len(receiver.got) == 1
    await runner.cleanup()
