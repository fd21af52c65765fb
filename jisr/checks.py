"""What `jisr doctor` looks at: each check gives findings in plain words, and never raises."""

import asyncio
import email.utils
import shutil
import stat
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gateway.catalogue import Catalogue, CatalogueError
from gateway.errors import CATALOGUE
from gateway.security.keyring import Keyring, KeyringError
from gateway.settings import Settings, SettingsError
from gateway.store.errors import StoreError
from jisr import admin_client, admin_socket
from jisr.commands.serve import probe
from jisr.errors import CommandError
from mappings.sentences import arabic_of

_LOW_DISK_BYTES = 1024**3
_CLOCK_SECONDS = 2.0
_CERTIFICATE_DAYS = 30  #: Enough to have another one issued by an institution.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    good: bool
    subject: tuple[str, str]  #: Arabic, English.
    said: tuple[str, str]

    @classmethod
    def fine(cls, subject: tuple[str, str], said: tuple[str, str]) -> Self:
        """Nothing to do."""
        return cls(True, subject, said)  # noqa: FBT003 - the one place

    @classmethod
    def wrong(cls, subject: tuple[str, str], said: tuple[str, str]) -> Self:
        """Something to mend."""
        return cls(False, subject, said)  # noqa: FBT003 - the one place


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which a person would mend them."""
    yield from _folder(settings)
    keyring = yield from _keyring(settings)
    yield from _catalogue(settings)
    yield from _server(settings)
    if keyring is not None:
        yield from _database(settings)
    yield from _connectors(settings)
    yield from _disk(settings)


_DATA = ("مجلد البيانات", "data folder")
_KEYS = ("حلقة المفاتيح", "keyring")
_SERVICES = ("الخدمات", "services")
_SERVER = ("الخادم", "server")
_RECORDS = ("قاعدة البيانات", "database")
_TIME = ("الساعة", "clock")
_DISK = ("القرص", "disk")
_WORDS = ("فهرس الأخطاء", "error catalogue")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        yield Finding.wrong(
            _DATA, (f"لا يوجد {folder}؛ ‎`jisr init` ينشئه", f"{folder} does not exist; `jisr init` makes it")
        )
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Finding.wrong(
            _DATA,
            (f"يقرؤه غير صاحبه ({mode:04o})؛ اجعله 0700", f"others can read it ({mode:04o}); make it 0700: {folder}"),
        )
    else:
        yield Finding.fine(_DATA, (str(folder), str(folder)))


def _keyring(settings: Settings) -> Generator[Finding, None, Keyring | None]:
    try:
        keyring = Keyring.load(settings.keyring_path)
    except KeyringError as error:
        yield Finding.wrong(_KEYS, (str(error), str(error)))
        return None
    count = len(keyring.keys)
    yield Finding.fine(_KEYS, (f"صلاحيتها 0600، وفيها {count} من المفاتيح", f"mode 0600, {count} sealing key(s)"))
    return keyring


def _catalogue(settings: Settings) -> Iterator[Finding]:
    try:
        catalogue = Catalogue.load(settings.service_folders)
    except CatalogueError as error:
        yield Finding.wrong(_SERVICES, (arabic_of(error), str(error)))
        return
    names = ", ".join(service.id for service in catalogue)
    yield Finding.fine(_SERVICES, (names, names))


def _server(settings: Settings) -> Iterator[Finding]:
    address = f"{settings.host}:{settings.port}"
    if admin_socket.answers(settings.admin_socket_path):
        yield Finding.fine(_SERVER, (f"يعمل ({address})", f"runs ({address})"))
        return
    try:
        probe(settings.host, settings.port)
    except OSError as error:
        why = error.strerror or str(error)
        yield Finding.wrong(_SERVER, (f"المنفذ غير متاح: {address} ({why})", f"{address} cannot be listened on: {why}"))
        return
    yield Finding.fine(_SERVER, (f"متوقف، والمنفذ متاح ({address})", f"stopped; its port is free ({address})"))


def _database(settings: Settings) -> Iterator[Finding]:
    before = time.time()
    try:
        said = admin_client.call(settings, "database.facts")
    except (StoreError, CommandError) as error:
        yield Finding.wrong(_RECORDS, (str(error), str(error)))
        return
    yield Finding.fine(_RECORDS, (said["facts"], said["facts"]))
    # the clock was read somewhere between: it is off only when it lies outside that interval
    after = time.time()
    offset = min(said["seconds"] - before, 0.0) or max(said["seconds"] - after, 0.0)
    yield _clock_finding(_TIME, offset, ("قاعدة البيانات", "the database"))


def _clock_finding(subject: tuple[str, str], offset_seconds: float, whose: tuple[str, str]) -> Finding:
    off = abs(offset_seconds)
    if off > _CLOCK_SECONDS:
        return Finding.wrong(
            subject,
            (
                f"تختلف عن ساعة {whose[0]} بمقدار {off:.0f} ثانية",
                f"{off:.0f} seconds away from the clock of {whose[1]}",
            ),
        )
    return Finding.fine(subject, (f"تطابق ساعة {whose[0]}", f"agrees with the clock of {whose[1]}"))


def _connectors(settings: Settings) -> Iterator[Finding]:
    from connectors.registry import find_packages

    try:
        packages = find_packages(settings.connector_paths)
    except Exception as error:  # noqa: BLE001 - a damaged package is a finding, whatever it raises
        yield Finding.wrong(("الموصلات", "connectors"), (arabic_of(error), str(error)))
        return
    unknown = sorted({code for package in packages.values() for code in _codes(package)} - set(CATALOGUE))
    if unknown:
        yield Finding.wrong(
            _WORDS, (f"رموز بلا نصوص: {', '.join(unknown)}", f"codes without texts: {', '.join(unknown)}")
        )
    else:
        yield Finding.fine(_WORDS, (f"{len(CATALOGUE)} رمزاً باللغتين", f"{len(CATALOGUE)} codes in both languages"))
    for name, package in sorted(packages.items()):
        yield from _connector(settings, name, package)


def _codes(package: Any) -> frozenset[str]:
    """The canonical codes that a package's tables can give."""
    from connectors.kit.codebook import load_codebook

    return load_codebook(package.folder, package.manifest).canonical_codes()


def _connector(settings: Settings, name: str, package: Any) -> Iterator[Finding]:
    subject = (f"الموصل {name}", f"connector {name}")
    if name not in settings.connectors:
        yield Finding.fine(subject, ("غير معدّ؛ خدماته غير متاحة", "not set up; services that need it are not offered"))
        return
    try:
        given = settings.connector(name)
        reachable = asyncio.run(_reachable(package, given))
    except SettingsError as error:
        yield Finding.wrong(subject, (arabic_of(error), str(error)))
        return
    except Exception as error:  # noqa: BLE001 - see above; a connector's own words say what is wrong
        yield Finding.wrong(subject, (arabic_of(error), str(error)))
        return
    yield from _certificates(subject, package, given)
    address = str(given.get("base_url", ""))
    if not reachable:
        yield Finding.wrong(subject, (f"لا يجيب: {address}", f"does not answer: {address}"))
        return
    yield Finding.fine(subject, (f"يجيب: {address}", f"answers: {address}"))
    theirs = _date_of(address)
    if theirs is not None and abs(theirs - time.time()) > _CLOCK_SECONDS:
        yield _clock_finding(_TIME, theirs - time.time(), (name, name))


def _certificates(subject: tuple[str, str], package: Any, given: dict[str, Any]) -> Iterator[Finding]:
    """The certificates of its settings that have ended or end soon."""
    from datetime import UTC, datetime

    from connectors.kit.tls import ends_of_certificates

    for setting, end in ends_of_certificates(package.settings, given).items():
        days = (end - datetime.now(UTC)).days
        if days < _CERTIFICATE_DAYS:
            day = end.date().isoformat()
            yield Finding.wrong(
                subject,
                (
                    f"شهادة {setting} تنتهي في {day} (الأيام الباقية: {days})",
                    f"{setting} ends on {day}, in {days} days",
                ),
            )


async def _reachable(package: Any, given: dict[str, Any]) -> bool:
    from datetime import UTC, datetime

    from connectors.kit.contract import Ports
    from connectors.registry import open_connector

    connector = open_connector(package, Ports(given, _NoTokens(), lambda: datetime.now(UTC)))
    try:
        return bool(await connector.reachable())
    finally:
        await connector.close()


class _NoTokens:
    """A check sends nothing that needs a token."""

    async def get(self, name: str, fetch: Callable[[], Awaitable[Any]], *, rejected: str | None = None) -> str:  # noqa: ARG002 - the port's signature
        raise SettingsError(f"{name}: no token is fetched while checking.")


def _date_of(address: str) -> float | None:
    """The Date header of the other side, as seconds since 1970; None when it gives none."""
    import http.client
    import urllib.parse

    parts = urllib.parse.urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=3)
        connection.request("HEAD", "/")
        date = connection.getresponse().headers.get("Date")
        connection.close()
        return email.utils.parsedate_to_datetime(date).timestamp() if date else None
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _disk(settings: Settings) -> Iterator[Finding]:
    folder: Path = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = (f"المتاح {free / 1024**3:.1f} غيغابايت", f"{free / 1024**3:.1f} GiB free")
    yield Finding(free >= _LOW_DISK_BYTES, _DISK, said)
