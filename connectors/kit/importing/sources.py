"""Where a contract comes from, and what it may refer to: files below one folder, or addresses of one host."""

import re
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urljoin, urlsplit

from connectors.kit.importing.fetching import MOST_BYTES, fetch, origin, too_large
from connectors.kit.importing.refusal import ContractRefused

_MOST_DOCUMENTS = 400
_MOST_TOTAL = 64 * 1024 * 1024
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


class OutsideError(Exception):
    """A reference leads out of what is allowed, or to nothing; the words complete "it refers to X, …"."""

    def __init__(self, en: str, ar: str) -> None:
        super().__init__(en)
        self.en = en
        self.ar = ar


class Source(Protocol):
    """A contract's first document and everything that it may refer to."""

    start: str  #: Address of the first document.

    def follow(self, base: str, location: str) -> str:
        """The address that `location` means in the document at `base`. Raises OutsideError."""

    def read(self, address: str) -> bytes:
        """The document. Raises OutsideError when it is not there, ContractRefused when it is too much."""

    def shown(self, address: str) -> str:
        """The address in short, for messages."""


class _Budget:
    """So many documents and bytes of one contract, and no more."""

    def __init__(self) -> None:
        self._documents = 0
        self._bytes = 0

    def take(self, content: bytes, what: str) -> bytes:
        self._documents += 1
        self._bytes += len(content)
        if len(content) > MOST_BYTES:
            raise too_large(what)
        if self._documents > _MOST_DOCUMENTS or self._bytes > _MOST_TOTAL:
            raise ContractRefused(
                f"The contract has more than {_MOST_DOCUMENTS} documents or {_MOST_TOTAL // 2**20} MiB.",
                f"في العقد أكثر من {_MOST_DOCUMENTS} وثيقة أو {_MOST_TOTAL // 2**20} ميغابايت.",
            )
        return content


def open_source(text: str, *, root: Path | None, allow_private: bool) -> Source:
    """The source that a person named: a path, or an http or https address. Raises ContractRefused."""
    if text.lower().startswith(("http://", "https://")):
        return _HostSource(text, allow_private=allow_private)
    if _SCHEME.match(text) and not Path(text).exists():
        raise ContractRefused(
            f"{text} is neither a file nor an http or https address.", f"«{text}» ليس ملفاً ولا عنوان http أو https."
        )
    return _FolderSource(Path(text), root)


def source_name(text: str) -> str:
    """The source as a package remembers it: an address, or a file's name without the folders of one machine."""
    return text if text.lower().startswith(("http://", "https://")) else Path(text).name


class _FolderSource:
    """A file, with the folder that it lies in (or `root`) and the folders below."""

    def __init__(self, file: Path, root: Path | None) -> None:
        if not file.is_file():
            raise ContractRefused(f"There is no file {file}.", f"لا يوجد ملف بالاسم {file}.")
        self._root = (root or file.parent).resolve()
        self._budget = _Budget()
        self.start = str(file.resolve())
        if not file.resolve().is_relative_to(self._root):
            raise ContractRefused(f"{file} is not below {root}.", f"الملف {file} ليس داخل {root}.")

    def follow(self, base: str, location: str) -> str:
        """See Source."""
        path = unquote(urlsplit(location).path) if not _SCHEME.match(location) else ""
        if not path or path.startswith(("/", "\\")) or location.startswith("//"):
            raise OutsideError("which is not a file beside it", "وهو ليس ملفاً إلى جانبه")
        found = (Path(base).parent / path.replace("\\", "/")).resolve()
        if not found.is_relative_to(self._root):
            raise OutsideError(
                f"which lies outside of {self._root.name}; --root names a folder that holds both",
                f"وهو خارج المجلد {self._root.name}؛ سمِّ بـ ‎--root مجلداً يضم الاثنين",
            )
        if not found.is_file():
            raise OutsideError("which is not there", "وهو غير موجود")
        return str(found)

    def read(self, address: str) -> bytes:
        """See Source."""
        path = Path(address)
        if path.stat().st_size > MOST_BYTES:
            raise too_large(self.shown(address))
        return self._budget.take(path.read_bytes(), self.shown(address))

    def shown(self, address: str) -> str:
        """See Source."""
        path = Path(address)
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else path.name


class _HostSource:
    """An address, and others of the same scheme, host and port."""

    def __init__(self, url: str, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._budget = _Budget()
        try:
            parts = urlsplit(url)
            self._home = origin(parts)
        except ValueError as error:
            raise ContractRefused(f"{url} is not an address.", f"«{url}» ليس عنواناً.") from error
        if parts.username or parts.password or not parts.hostname or not url.isprintable() or " " in url:
            raise ContractRefused(
                "An address with a user, a password or a blank is not fetched: download the contract and "
                "give the file.",
                "لا يُجلب عنوان فيه مستخدم أو كلمة سر أو فراغ: نزّل العقد وأعطِ الملف.",
            )
        self.start, first = fetch(url, allow_private=allow_private)
        self._known = {self.start: self._budget.take(first, url)}

    def follow(self, base: str, location: str) -> str:
        """See Source."""
        try:
            found = urljoin(base, location.strip())
            home = origin(urlsplit(found))
        except ValueError:
            raise OutsideError("which is not an address", "وهو ليس عنواناً") from None
        if home != self._home:
            raise OutsideError("which is on another host", "وهو على مضيف آخر")
        return found.partition("#")[0]

    def read(self, address: str) -> bytes:
        """See Source."""
        if address not in self._known:
            try:
                _, content = fetch(address, allow_private=self._allow_private)
            except ContractRefused as refused:
                raise OutsideError(
                    f"which cannot be had ({refused.en.rstrip('.')})", f"وتعذّر جلبه ({refused.ar})"
                ) from refused
            self._known[address] = self._budget.take(content, address)
        return self._known[address]

    def shown(self, address: str) -> str:
        """See Source."""
        parts = urlsplit(address)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
