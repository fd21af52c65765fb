"""docs/how-to/import-a-contract.md does what it says."""

import re
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from jisr.cli import app
from jisr.terminal import Front

PAGE = Path(__file__).parents[5] / "docs/how-to/import-a-contract.md"


def test_the_commands_of_the_page_work_on_the_contract_of_the_page(tmp_path, monkeypatch):
    text = PAGE.read_text(encoding="utf-8")
    files = dict(re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', text, re.DOTALL))
    commands = [
        line.split()[1:] for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
    ]
    monkeypatch.chdir(tmp_path)
    Path("library.wsdl").write_text(files["library.wsdl"], encoding="utf-8")

    for written in commands:
        command = [*written[:-1], "library.wsdl"] if "--against" in written else written
        result = CliRunner().invoke(app, command, obj=Front(language="en"))
        assert result.exit_code == 0, f"{command}: {result.output} {result.exception}"

    rows = tomllib.loads(Path("library/manifest.toml").read_text(encoding="utf-8"))["operations"]
    assert (rows["reserve-book"]["effect"], rows["reserve-book"]["inquire"]) == ("inquirable", "inquire-reservation")
    assert len(commands) == 4
