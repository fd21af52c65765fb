"""Damascus University, Interior and Internal Trade, played by the JAX-WS reference implementation with WSS4J.

The classes are generated from the committed contracts and compiled anew for each session, in a folder of its own.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connectors.kit.sandbox.certificates import certificates_of
from connectors.kit.sandbox.institution import sandbox_settings
from tests.counterparties.starting import CONNECTORS, HERE, PASSWORD, USER, Counterparty, running, without

_JARS = Path("/usr/share/java")
_CLASS_PATH = tuple(
    _JARS / f"{name}.jar" for name in ("jaxws-rt", "wss4j", "xmlsec", "commons-logging", "slf4j-api", "slf4j-jdk14")
)
_CONTRACTS = {
    "university": CONNECTORS / "damascus_university" / "wsdl" / "student-documents.wsdl",
    "passports": CONNECTORS / "interior" / "wsdl" / "passports.wsdl",
    "register": CONNECTORS / "internal_trade" / "wsdl" / "commercial-register.wsdl",
}
MISSING = without("java", "javac", "wsimport", *_CLASS_PATH)
REASON = "the JAX-WS reference implementation is missing: apt-get install default-jdk-headless jaxws libwss4j-java"
_SECONDS = 120
#: A virtual machine that lives for seconds starts with half the work.
_ENVIRONMENT = {**os.environ, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


@contextmanager
def jaxws(folder: Path) -> Iterator[Mapping[str, Counterparty]]:
    """Generate, compile and run it in that folder; the three institutions by the connector's name."""
    classes = _compiled(folder)
    certificates = certificates_of("interior")
    certificates.path("server")  # they are made when they are first asked for
    command: list[str | Path] = [
        "java", "-Dcom.sun.xml.ws.monitoring.endpoint=false", "-cp", _joined(classes),
        "counterparties.Counterparties", CONNECTORS, certificates.folder,
    ]  # fmt: skip
    with running(command, _ENVIRONMENT) as (http, https):
        url = f"http://127.0.0.1:{http}"
        known = {"base_url": url, "username": USER, "password": PASSWORD}
        signed = sandbox_settings(CONNECTORS / "interior", https)
        yield {
            "damascus_university": Counterparty("damascus_university", url, known),
            "internal_trade": Counterparty("internal_trade", url, known),
            "interior": Counterparty("interior", url, signed),
        }


def _compiled(folder: Path) -> Path:
    sources, classes = folder / "sources", folder / "classes"
    sources.mkdir()
    classes.mkdir()
    whole = HERE / "jaxws" / "whole-messages.xml"
    for name, contract in _CONTRACTS.items():
        run("wsimport", "-quiet", "-Xnocompile", "-b", whole, "-p", f"counterparties.{name}", "-d", sources, contract)
    files = [*sources.rglob("*.java"), *(HERE / "jaxws").glob("*.java")]
    run("javac", "-encoding", "UTF-8", "-nowarn", "-cp", _joined(), "-d", classes, *files)
    return classes


def _joined(*before: Path) -> str:
    return os.pathsep.join(str(path) for path in (*before, *_CLASS_PATH))


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
