"""With which key, and at which address, a command speaks to the API as a channel or an operator does."""

import os
from pathlib import Path
from typing import Annotated

import typer

from jisr.client import Client
from jisr.errors import CommandError
from jisr.terminal import Front

URL = "http://127.0.0.1:8080"
Url = Annotated[str, typer.Option("--url", envvar="JISR_URL", help="The gateway's address.")]


def client_of(here: Front, url: str, key_file: Path | None, *, whose: tuple[str, str]) -> Client:
    """A client with the key of the file, or of JISR_KEY; `whose` is named, in both languages, when there is none."""
    key = os.environ.get("JISR_KEY", "")
    if key_file is not None:
        key = key_file.read_text(encoding="utf-8").strip()
    if not key:
        ar, en = whose
        raise CommandError(
            here.text(f"لا بد من مفتاح {ar}: ‎--key-file أو JISR_KEY.", f"{en} key is needed: --key-file or JISR_KEY.")
        )
    return Client(url, key, language=here.language)
