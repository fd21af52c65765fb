"""docs/how-to/add-a-service.md, done as it stands there: a new service by writing files only, through to its document."""

import json
import re
from pathlib import Path

from tests.gateways import until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-a-service.md"
BLOCK = re.compile(r'^```\w+ title="([^"]+)"\n(.*?)^```', re.MULTILINE | re.DOTALL)


def test_a_service_is_added_by_the_files_of_the_page_alone(make_gateway, sandbox, tmp_path):
    files = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    (service,) = (name for name in files if name.endswith(".toml") and name.startswith("services/"))
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / Path(service).name).write_text(files[service], encoding="utf-8")
    gateway = make_gateway(services=[str(folder)])
    gateway.start()

    body = json.loads(files["request.json"])
    with gateway.client() as http:
        assert body["service"] in [item["id"] for item in http.get("/v1/services").json()["items"]]
    asked = gateway.submit(body, "how-to", wait=20).json()
    assert asked["next_action"]["kind"] == "confirm_otp", asked
    wallet = sandbox("syriatel_cash")
    transaction = f"{asked['id'].replace('-', '')}-p1"
    otp = until(lambda: wallet.otp(transaction), "the SMS")
    gateway.act(asked, {"otp": otp}, "how-to-otp")
    done = gateway.until_state(asked["id"], "completed")

    assert done["documents"][0]["media_type"] == "application/pdf"
    assert (wallet.count(), sandbox("transport").count()) == (1, 1)
