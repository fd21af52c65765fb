"""The manifest of a backup: what it holds, of what version, with the digest of every part."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.backup.errors import BackupError, damaged, of_os
from gateway.security.keyring import Keyring, KeyringError

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_PROOF = b"this value proves that a keyring opens the record of this backup"
_CHUNK = 1 << 20


class Part(msgspec.Struct, frozen=True):
    """One file of the backup."""

    name: str  #: Its path within the backup.
    kind: str  #: database | statement | secret
    bytes: int
    sha256: str


class KeyringProof(msgspec.Struct, frozen=True):
    """What tells whether a keyring is the right one, and tells no key."""

    ids: list[str]
    sealed: str  #: A known text under the active key, base64.
    index: str  #: The blind index of the same text, hexadecimal.


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is."""

    format: int
    taken_at: int  #: Milliseconds since 1970 UTC, by the database's clock, just before its state was fixed.
    program: str
    dialect: str  #: sqlite | postgresql
    server: str  #: Version of the database.
    revision: str  #: Of the schema.
    settings_sha256: str  #: Of the settings file; "" without one.
    keyring: KeyringProof
    parts: list[Part]

    @property
    def database(self) -> Part:
        """The part that holds the record."""
        return next(part for part in self.parts if part.kind == "database")


def proof_of(keyring: Keyring) -> KeyringProof:
    """What the manifest keeps of the keyring."""
    sealed = base64.b64encode(keyring.seal(_PROOF)).decode()
    return KeyringProof(sorted(keyring.keys), sealed, keyring.blind_index(_PROOF.decode()).hex())


def require_keyring(manifest: Manifest, keyring: Keyring, path: Path) -> None:
    """Raise BackupError when this keyring does not open the backup's record."""
    proof = manifest.keyring
    try:
        opened = keyring.open(base64.b64decode(proof.sealed)) == _PROOF
    except KeyringError:
        opened = False
    missing = sorted(set(proof.ids) - set(keyring.keys))
    if missing or not opened or keyring.blind_index(_PROOF.decode()).hex() != proof.index:
        raise BackupError(
            f"حلقة المفاتيح {path} لا تفتح هذه النسخة؛ أعد أولاً الحلقة المحفوظة على حدة، وفيها: "
            f"{', '.join(proof.ids)}.",
            f"The keyring {path} does not open this backup; first put back the keyring that you keep apart, with the "
            f"keys {', '.join(proof.ids)}.",
        )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and, for `sha256sum -c`, the digests of everything."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    write_whole(folder / MANIFEST, text)
    lines = [f"{part.sha256}  {part.name}\n" for part in manifest.parts]
    lines.append(f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n")
    write_whole(folder / SUMS, "".join(lines).encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Raises BackupError when there is none that can be used."""
    try:
        text = (folder / MANIFEST).read_bytes()
        sums = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise BackupError(f"ليس في {folder} نسخة احتياطية.", f"There is no backup in {folder}.") from None
    except OSError as error:
        raise of_os(error, folder) from error
    if f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n" not in sums:
        raise damaged(MANIFEST)
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise damaged(MANIFEST) from error
    if manifest.format != FORMAT:
        raise BackupError(
            f"النسخة في {folder} كتبها إصدار أحدث من جسر ({manifest.program}): حدّث البرنامج أولاً.",
            f"The backup in {folder} was written by a newer Jisr ({manifest.program}): upgrade Jisr first.",
        )
    return manifest


def verify(folder: Path, manifest: Manifest, moved: Callable[[int], None] = lambda _: None) -> None:
    """Hold every part against its digest; `moved` is told the bytes that were read. Raises BackupError."""
    for part in manifest.parts:
        path = folder / part.name
        try:
            found = digest_of(path, moved)
        except FileNotFoundError:
            raise damaged(part.name) from None
        except OSError as error:
            raise of_os(error, path) from error
        if found != part.sha256 or path.stat().st_size != part.bytes:
            raise damaged(part.name)


def part_of(folder: Path, name: str, kind: str) -> Part:
    """The entry of a file that was just written."""
    path = folder / name
    return Part(name, kind, path.stat().st_size, digest_of(path))


def digest_of(path: Path, moved: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in chunks(file):
            digest.update(chunk)
            moved(len(chunk))
    return digest.hexdigest()


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """A file, piece by piece."""
    while chunk := file.read(_CHUNK):
        yield chunk


def write_whole(path: Path, content: bytes) -> None:
    """Write a new file that only its owner reads, and see it on the disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
