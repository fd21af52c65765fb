"""Fetches one document over HTTP for the importer: one host, no private address, no proxy, bounded in size and time."""

import http.client
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import SplitResult, urljoin, urlsplit

from connectors.kit.importing.refusal import ContractRefused
from mappings.sentences import in_arabic

MOST_BYTES = 16 * 1024 * 1024
_SECONDS = 20.0
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 5
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of an address. Raises ValueError for a port that is none."""
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def fetch(url: str, *, allow_private: bool) -> tuple[str, bytes]:
    """The address after redirects within the same host, and the document. Raises ContractRefused."""
    home = origin(urlsplit(url))
    for _ in range(_MOST_REDIRECTS):
        answer = _get(url, allow_private=allow_private)
        if isinstance(answer, bytes):
            return url, answer
        target = urljoin(url, answer)
        if origin(urlsplit(target)) != home:
            raise ContractRefused(
                f"{url} redirects to another host ({target}); give that address if you trust it.",
                f"يحيل العنوان {url} إلى مضيف آخر ({target})؛ أعطِ ذلك العنوان إن كنت تثق به.",
            )
        url = target
    raise ContractRefused(f"{url} redirects without end.", f"إحالات العنوان {url} لا تنتهي.")


def _get(url: str, *, allow_private: bool) -> bytes | str:
    """The document, or where the answer redirects to."""
    parts = urlsplit(url)
    scheme, host, port = origin(parts)
    address = _resolve(host, port, allow_private=allow_private)
    connection = _Pinned(host, port, address, ssl.create_default_context() if scheme == "https" else None)
    target = parts.path or "/"
    watch = threading.Timer(_SECONDS, connection.end)  # a limit of the socket counts each byte anew
    watch.daemon = True
    watch.start()
    try:
        connection.request(
            "GET",
            f"{target}?{parts.query}" if parts.query else target,
            headers={"Accept-Encoding": "gzip", "User-Agent": "jisr", "Accept": "*/*"},
        )
        with connection.getresponse() as answer:
            if answer.status in {301, 302, 303, 307, 308}:
                return answer.getheader("Location") or ""
            if answer.status != 200:
                raise ContractRefused(
                    f"{url} answers HTTP {answer.status}; give an address that serves the contract, or a file.",
                    f"يجيب {url} بالرمز HTTP {answer.status}؛ أعطِ عنواناً يقدّم العقد أو ملفاً.",
                )
            encoding = (answer.getheader("Content-Encoding") or "identity").lower()
            return _joined(_unpacked(_chunks(answer, connection), encoding, url), url)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, connection, error) from error
    finally:
        watch.cancel()
        connection.close()


def _unreachable(url: str, connection: "_Pinned", error: Exception) -> ContractRefused:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if connection.ended or isinstance(error, TimeoutError):
        said = f"the document did not come within {_SECONDS:g} seconds"
    return ContractRefused(f"{url} cannot be reached: {said}.", f"تعذّر الوصول إلى {url}: {in_arabic(said)}.")


def _resolve(host: str, port: int, *, allow_private: bool) -> str:
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise ContractRefused(
            f"The host {host} is not known: check the address.", f"المضيف {host} غير معروف؛ دقّق العنوان."
        ) from error
    for text in sorted(found):
        if not allow_private and not _is_public(ipaddress.ip_address(text.partition("%")[0])):
            raise ContractRefused(
                f"{host} has the private address {text}, which is only contacted with --allow-private.",
                f"للمضيف {host} عنوان خاص ({text}) لا يُتصل به إلا مع ‎--allow-private.",
            )
    return min(found)


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64:
            return False
    return address.is_global and not address.is_multicast


def _chunks(answer: http.client.HTTPResponse, connection: "_Pinned") -> Iterator[bytes]:
    while chunk := answer.read(_CHUNK):
        yield chunk
    if connection.ended or answer.length:
        raise ConnectionError("the document is cut off")


def _unpacked(chunks: Iterator[bytes], encoding: str, url: str) -> Iterator[bytes]:
    if encoding == "identity":
        yield from chunks
        return
    if encoding not in {"gzip", "deflate"}:
        raise ContractRefused(
            f"{url} answers in the unknown encoding {encoding[:40]}.", f"يجيب {url} بترميز غير معروف ({encoding[:40]})."
        )
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting:  # never more than a chunk at a time, so that a bomb is met by the limit on size
                yield inflate.decompress(waiting, _CHUNK)
                waiting = inflate.unconsumed_tail
    except zlib.error as error:
        raise ContractRefused(f"{url} answers with broken gzip.", f"ضغط جواب {url} معطوب.") from error


def _joined(chunks: Iterator[bytes], url: str) -> bytes:
    parts, size = [], 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            raise too_large(url)
    return b"".join(parts)


def too_large(what: str) -> ContractRefused:
    """The refusal of a document that is larger than a contract may be."""
    most = MOST_BYTES // (1024 * 1024)
    return ContractRefused(
        f"{what} is larger than {most} MiB, which is the most for one document.",
        f"حجم {what} أكبر من {most} ميغابايت، وهو الحد الأعلى للوثيقة الواحدة.",
    )


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was examined, whatever the name means a moment later."""

    def __init__(self, host: str, port: int, address: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=_SECONDS)
        self._address = address
        self._tls = tls
        self.ended = False  #: Its time is over.

    def end(self) -> None:
        """Let whoever waits for a byte wait no longer."""
        self.ended = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def connect(self) -> None:
        sock = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = sock if self._tls is None else self._tls.wrap_socket(sock, server_hostname=self.host)
