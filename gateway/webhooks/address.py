"""The address guard: a webhook reaches a receiver in the open Internet, or in a network that the operator named.

An address is looked at when it is saved and again at every try: the name is resolved once, every address that it has
must be good, and the connection goes to the one that was looked at, whatever the name says a moment later.
"""

import asyncio
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from gateway.errors import Text
from gateway.webhooks.settings import WebhookSettings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_MOST_CHARACTERS = 2048
_RESOLVERS = 16
_NUMERIC = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z", re.IGNORECASE)
#: Global unicast (RFC 4291, 2.4); all else of IPv6 is local, translated (64:ff9b::/96, RFC 6052) or unassigned.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL = (
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ipaddress.IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    ipaddress.IPv6Network("2001:db8::/32"),  # documentation
    ipaddress.IPv6Network("2002::/16"),  # 6to4, which carries an IPv4 address
    ipaddress.IPv6Network("3fff::/20"),  # documentation
)

_FORM = Text("ليس عنوان URL كاملاً بحروف وأرقام عادية", "it is no complete URL of ordinary characters")
_LONG = Text("العنوان طويل جداً", "it is too long")
_SCHEME = Text("يجب أن يبدأ بـ ‎https://", "it must begin with https://")
_USER = Text("فيه اسم مستخدم أو كلمة مرور", "it holds a user name or a password")
_FRAGMENT = Text("فيه جزء بعد ‎#", "it has a part after #")
_WRITTEN = Text("عنوان IP مكتوب بصورة غير معتادة", "its IP address is written in an unusual form")
_LOCAL = Text(
    "يشير إلى شبكة خاصة أو محلية أو محجوزة لم تسمح بها الإعدادات",
    "it leads into a private, local or reserved network that the settings do not allow",
)
_UNKNOWN = Text("لا يُعرف اسم المضيف الآن", "its host name is not known now")


class AddressRefused(Exception):
    """No webhook goes there; `why` completes the sentence "the address is refused: …"."""

    def __init__(self, why: Text, outcome: str) -> None:
        super().__init__(why.en)
        self.why = why
        self.outcome = outcome  #: As the delivery log calls it.


@dataclass(frozen=True, slots=True)
class Target:
    """Where one try goes."""

    base_url: str  #: Scheme, host and port.
    path: str  #: With the query.
    address: str  #: To which the connection is opened.


class Guard:
    """Looks at addresses as the settings want it."""

    def __init__(self, settings: WebhookSettings, resolve: Resolve | None = None) -> None:
        """`resolve` gives all addresses of a host and port, or raises OSError; the system's, unless given."""
        self._plain = settings.plain_http
        self._allowed = [ipaddress.ip_network(network) for network in settings.private_networks]
        self._resolve = resolve or resolve_by_system

    async def target(self, url: str) -> Target:
        """Where the URL leads now. Raises AddressRefused."""
        parts = self._parsed(url)
        host, port = _host(parts), parts.port or (443 if parts.scheme == "https" else 80)
        addresses = [literal] if (literal := _literal(host)) else await self._resolved(host, port)
        good = [self._checked(address) for address in addresses]
        shown = f"[{host}]" if ":" in host else host
        base_url = f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port else "")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(base_url, path, str(good[0]))

    def _parsed(self, url: str) -> SplitResult:
        """Only what every reader of URLs reads in the same way."""
        if len(url) > _MOST_CHARACTERS:
            raise AddressRefused(_LONG, "address_refused")
        if any(letter <= " " or letter == "\x7f" or letter in '\\<>"`{}|^' for letter in url):
            raise AddressRefused(_FORM, "address_refused")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise AddressRefused(_FORM, "address_refused") from None
        for wrong, why in (
            (parts.scheme not in (("https", "http") if self._plain else ("https",)), _SCHEME),
            ("@" in parts.netloc, _USER),
            (bool(parts.fragment) or url.endswith("#"), _FRAGMENT),
            (not parts.hostname or port == 0, _FORM),
            (not f"{parts.path}{parts.query}".isascii(), _FORM),
        ):
            if wrong:
                raise AddressRefused(why, "address_refused")
        return parts

    async def _resolved(self, host: str, port: int) -> list[Address]:
        try:
            found = await self._resolve(host, port)
            addresses: list[Address] = [ipaddress.ip_address(address) for address in found]
        except (OSError, ValueError) as error:
            raise AddressRefused(_UNKNOWN, "host_unknown") from error
        if not addresses:
            raise AddressRefused(_UNKNOWN, "host_unknown")
        return addresses

    def _checked(self, address: Address) -> Address:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not is_public(address) and not any(address in network for network in self._allowed):
            raise AddressRefused(_LOCAL, "address_refused")
        return address


def is_public(address: Address) -> bool:
    """Whether the address belongs to a host of the open Internet."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    special = any(address in network for network in _SPECIAL)
    return address.is_global and not (special or address.is_multicast or address.is_reserved)


def _host(parts: SplitResult) -> str:
    """The host in ASCII. Raises AddressRefused for what readers may read in several ways."""
    host = parts.hostname or ""
    odd = any(not letter.isascii() and unicodedata.category(letter).startswith("N") for letter in host)
    if odd or unicodedata.normalize("NFKC", host) != host:
        raise AddressRefused(_WRITTEN, "address_refused")
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressRefused(_FORM, "address_refused") from None
    if name.endswith(".") or "%" in name:
        raise AddressRefused(_WRITTEN, "address_refused")
    return name


def _literal(host: str) -> Address | None:
    """The address that the host is; None for a name. Octal, hexadecimal and shortened forms are neither."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        if ":" in host or _NUMERIC.match(host.rpartition(".")[2]):
            raise AddressRefused(_WRITTEN, "address_refused") from None
        return None


_threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="jisr-resolve")


async def resolve_by_system(host: str, port: int) -> list[str]:
    """What the system's resolver says, in threads of its own: a name server that is silent holds up nobody else."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return [str(entry[4][0]).partition("%")[0] for entry in found]
