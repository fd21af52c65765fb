"""A6: where no webhook goes, however the address is written."""

import contextlib

import pytest

from gateway.webhooks.address import AddressRefused, Guard, is_public
from tests.unit.gateway.webhooks.conftest import DEFAULTS, settings_with

LOCAL = (
    *("https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://017700000001/"),
    *("https://0177.0.0.1/", "https://0/", "https://0.0.0.0/", "https://[::]/", "https://[::1]/", "https://10.1.2.3/"),
    *("https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/"),
    *("https://224.0.0.1/", "https://255.255.255.255/", "https://240.0.0.1/", "https://198.18.0.1/"),
    *("https://192.0.2.1/", "https://192.88.99.1/", "https://[::ffff:169.254.169.254]/", "https://[::ffff:127.0.0.1]/"),
    *("https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::a9fe:a9fe]/", "https://[fe80::1]/"),
    *("https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2001::1]/", "https://[fc00::1]/"),
    *("https://[fec0::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[fe80::1%25lo]/"),
    *("https://①②⑦.⓪.⓪.①/", "https://１２７.0.0.1/", "https://١٢٧.٠.٠.١/", "https://127。0。0。1/"),
    *("https://localhost/", "https://localhost./", "https://127.0.0.1./", "https://127.0.0.1:22/"),
)
ODD = (
    *(
        "http://channel.example/",
        "ftp://channel.example/",
        "//channel.example/",
        "channel.example",
        "",
        "https://",
        "x",
    ),
    *("https://user@channel.example/", "https://user:pass@channel.example/", "https://channel.example@10.0.0.1/"),
    *("https://channel.example/#part", "https://channel.example/#", "https://channel.example:0/", "https://a:99999/"),
    *("https://channel.example\\@10.0.0.1/", "https://channel.example/ x", "https://chan\tnel.example/"),
    *("https://channel.example/\r\nHost: x", "https://[::1", "https://channel.example/ملف", "https://" + "a" * 2100),
)


async def public(_host, _port):
    return ["93.184.216.34"]


@pytest.mark.parametrize("url", LOCAL + ODD)
async def test_a6_an_address_that_is_not_in_the_open_is_refused_before_any_connection(url):
    """Names are resolved by the system here: `localhost` is what it is."""
    guard = Guard(DEFAULTS) if "channel" not in url else Guard(DEFAULTS, public)
    with pytest.raises(AddressRefused) as refused:
        await guard.target(url)
    assert refused.value.why.en
    assert any("\u0600" <= letter <= "\u06ff" for letter in refused.value.why.ar)


@pytest.mark.parametrize(
    "found", [["10.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], [], ["nonsense"]]
)
async def test_a6_a_name_is_refused_when_any_of_its_addresses_is(found):
    async def resolve(_host, _port):
        return found

    with pytest.raises(AddressRefused):
        await Guard(DEFAULTS, resolve).target("https://channel.example/")


async def test_a6_the_connection_goes_to_the_address_that_was_looked_at():
    asked = []

    async def resolve(host, port):
        asked.append((host, port))
        return ["2606:2800:220:1::1", "93.184.216.34"]

    target = await Guard(DEFAULTS, resolve).target("https://Channel.Example:8443/jisr/x?key=1&b=%20")
    assert asked == [("channel.example", 8443)], "once"
    assert (target.base_url, target.path) == ("https://channel.example:8443", "/jisr/x?key=1&b=%20")
    assert target.address == "2606:2800:220:1::1"
    arabic = await Guard(DEFAULTS, resolve).target("https://وزارة.سوريا/")
    assert arabic.base_url == "https://xn--mgbexc3i.xn--mgbtf8fl"


async def test_networks_that_the_operator_names_are_open_and_no_others():
    guard = Guard(settings_with(private_networks=("10.20.0.0/16", "fd00:1::/32"), plain_http=False))
    assert (await guard.target("https://10.20.3.4/")).address == "10.20.3.4"
    assert (await guard.target("https://[fd00:1::5]/x")).base_url == "https://[fd00:1::5]"
    for url in ("https://10.21.0.1/", "https://127.0.0.1/", "http://10.20.3.4/"):
        with pytest.raises(AddressRefused):
            await guard.target(url)


def test_public_addresses_are_public():
    import ipaddress

    assert all(is_public(ipaddress.ip_address(each)) for each in ("93.184.216.34", "8.8.8.8", "2606:2800:220:1::1"))


async def test_a6_a_name_that_turns_inwards_after_it_was_saved_gets_nothing(store, scene, receiver):
    """DNS rebinding: good when it is saved, loopback at the try; and a try goes where it was looked at."""
    from gateway.webhooks.desk import WebhookDesk
    from gateway.webhooks.post import Post
    from gateway.webhooks.sender import Sender

    names = {"channel.example": ["93.184.216.34"]}

    async def resolve(host, _port):
        return names[host]

    open_guard = Guard(settings_with(private_networks=()), resolve)
    desk = WebhookDesk(store, open_guard, scene.settings)
    port = receiver.url.split(":")[2].split("/")[0]
    added = await desk.add("web", f"http://channel.example:{port}/", ("jisr.request.accepted",))
    scene.sender = Sender(
        store,
        Post(open_guard, scene.settings, scene.clock),
        scene.settings,
        scene.clock.monotonic,
        "w1",
        poll_seconds=1,
    )
    names["channel.example"] = ["127.0.0.1"]
    await scene.accept()
    await scene.run()
    (line,) = await scene.log(added.body["id"])
    assert (line.state, line.outcome, receiver.got) == ("waiting", "address_refused", [])
    loopback = Guard(scene.settings, resolve)
    scene.sender._post = Post(loopback, scene.settings, scene.clock)
    scene.clock.advance(10)
    await scene.run()
    assert len(receiver.got) == 1, "the name exists nowhere: the connection went to the address that was looked at"
    assert receiver.got[0][0]["host"] == f"channel.example:{port}"
    with contextlib.suppress(KeyError):
        del names["channel.example"]


def test_wrong_settings_are_told_in_a_sentence_and_the_path_is_meant_from_the_file(tmp_path):
    from gateway.settings import SettingsError, load

    config = tmp_path / "jisr.toml"
    config.write_text('[webhooks]\nca_file = "ours.pem"\nprivate_networks = ["10.20.0.0/16"]\n')
    settings = load(config, environment={}).webhooks
    assert (settings.ca_file, settings.private_networks) == (str(tmp_path / "ours.pem"), ("10.20.0.0/16",))
    for line, sentence in (
        ('private_networks = ["10.20.0.1/16"]', "names '10.20.0.1/16': write a network"),
        ("places = 0", "must be more than 0"),
        ("retry_seconds = []", "at least one number"),
    ):
        config.write_text(f"[webhooks]\n{line}\n")
        with pytest.raises(SettingsError, match=sentence):
            load(config, environment={})
