"""Decides who may speak to this server: the Host rule, the Origin rule, the key.

Localhost is no wall. A page of any site can send requests to a port of the machine its reader sits at, and by DNS
rebinding it can make them look same-origin. So connections that arrive on a loopback address must carry a Host that
names this machine, and a browser's request must come from a page of ours or of a listed origin. Clients that are no
browsers (curl, workers) send no Origin and pass.
"""

from __future__ import annotations

import hmac
import re
from ipaddress import IPv6Address, ip_address
from itertools import chain

from starlette.types import Scope

from dummyllm.settings import Settings
from dummyllm.web.exchange import Exchange
from dummyllm.web.refusal import Refusal

HEADERS_MAX = 100
HEADER_BYTES_MAX = 65_536
EXEMPT_PATHS = frozenset({"/health", "/livez", "/readyz"})
HOST_BYTES_MAX = 262  # a name of 255, a colon, a port of 5, and the last that is too long

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.ASCII)


class Access:
    """The three rules, as *settings* set them."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = settings.allowed_hosts
        self._origins = frozenset(settings.cors_origins)
        self._key = settings.api_key.encode() if settings.api_key else None
        self.has_key = self._key is not None
        # Nearly every request comes to the address and by the name of the one before it.
        self._last_server: tuple[str, int | None] | None = None
        self._last_host: bytes | None = None

    def check(self, exchange: Exchange, path: str) -> None:
        """Refuse *exchange* unless its headers are few, and its Host and its Origin are as they should be."""
        headers, scope = exchange.headers, exchange.scope
        count = len(scope["headers"])
        if count != len(headers) or len(b"".join(headers)) + len(b"".join(headers.values())) > HEADER_BYTES_MAX:
            _check_repeated(scope["headers"])
        if count > HEADERS_MAX:
            raise _too_large()
        if (
            headers.get(b"host") != self._last_host
            or scope.get("server") != self._last_server
            or b"origin" in headers
            or b"sec-fetch-site" in headers
        ) and path not in EXEMPT_PATHS:
            self._check_source(exchange)

    def _check_source(self, exchange: Exchange) -> None:
        headers, server = exchange.headers, exchange.scope.get("server")
        host = headers.get(b"host", b"")
        self._check_host(server[0] if server else "", host)
        if b"origin" in headers or b"sec-fetch-site" in headers:
            self._check_origin(exchange)
        self._last_server, self._last_host = server, host

    def is_from_listed_page(self, headers: dict[bytes, bytes]) -> bool:
        """Say whether *headers* carry an Origin of `DUMMYLLM_CORS_ORIGINS`."""
        return headers.get(b"origin", b"").decode("latin-1").lower() in self._origins

    def check_key(self, exchange: Exchange, path: str) -> None:
        """Refuse *exchange* unless it has the key, if there is one. Browsers send none with a preflight."""
        headers = exchange.headers
        if self._key is None or path in EXEMPT_PATHS or is_preflight(exchange.scope, headers):
            return
        given = headers.get(b"x-api-key")
        if given is None:
            scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
            given = token.strip() if scheme.lower() == b"bearer" else b""
        if not hmac.compare_digest(given, self._key):
            challenge = ((b"www-authenticate", b"Bearer"),)
            complaint = "the key is not the one set" if given else "a key is wanted"
            message = f"{complaint}; send DUMMYLLM_API_KEY as Authorization: Bearer or as x-api-key"
            raise Refusal("UNAUTHORIZED", message, headers=challenge)

    def _check_host(self, address: str, host: bytes) -> None:
        name = host_name(host)
        guarded = is_loopback(address) or bool(self._hosts)
        if guarded and not self._is_allowed(name):
            raise Refusal("HOST_NOT_ALLOWED", f"{_host_complaint(host)}; {self._hosts_allowed()}")

    def _is_allowed(self, name: str | None) -> bool:
        if name is None:
            return False
        if name == "localhost" or name.endswith(".localhost") or is_loopback(name):
            return True
        return any(_matches(pattern, name) for pattern in self._hosts)

    def _hosts_allowed(self) -> str:
        listed = ", ".join(self._hosts) or "none is set"
        return f"use localhost, 127.0.0.1, [::1] or a name of DUMMYLLM_ALLOWED_HOSTS ({listed})"

    def _check_origin(self, exchange: Exchange) -> None:
        headers = exchange.headers
        origin = headers.get(b"origin")
        if origin is None:
            site = headers.get(b"sec-fetch-site", b"none")
            is_link = headers.get(b"sec-fetch-mode") == b"navigate" and exchange.scope["method"] in ("GET", "HEAD")
            if site in (b"same-origin", b"none") or (is_link and headers.get(b"sec-fetch-dest") == b"document"):
                return
            raise Refusal("ORIGIN_NOT_ALLOWED", f"a page of another site sent this request ({site.decode('latin-1')})")
        name = origin.decode("latin-1").lower()
        own = f"{exchange.scope.get('scheme', 'http')}://{headers.get(b'host', b'').decode('latin-1').lower()}"
        if name != own and name not in self._origins:
            listed = ", ".join(sorted(self._origins)) or "none is set"
            raise Refusal("ORIGIN_NOT_ALLOWED", f"Origin {name!r} is not of DUMMYLLM_CORS_ORIGINS ({listed})")


def _check_repeated(raw: list[tuple[bytes, bytes]]) -> None:
    """Refuse headers that are too large, or of which more than one is a Host."""
    if sum(map(len, chain.from_iterable(raw))) > HEADER_BYTES_MAX:
        raise _too_large()
    if sum(name == b"host" for name, _ in raw) > 1:
        raise Refusal("HOST_NOT_ALLOWED", "the request has more than one Host")


def _too_large() -> Refusal:
    message = f"the request has more than {HEADERS_MAX} headers or {HEADER_BYTES_MAX} bytes of them"
    return Refusal("HEADERS_TOO_LARGE", message, closes=True)


def host_name(host: bytes) -> str | None:
    """Return the name in the Host header *host*, lower case and without its port; None if there is none to be read."""
    match = _HOST.fullmatch(host[:HOST_BYTES_MAX].decode("latin-1").lower())
    if match is None or int(match[2] or 0) > 65_535:
        return None
    return match[1].strip("[]")


def is_preflight(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Say whether this is a browser asking for leave to send a request; it sends no key with that."""
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in headers


def is_loopback(address: str) -> bool:
    """Say whether *address* is a loopback IP address; a name is not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


def _matches(pattern: str, name: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return name.endswith(pattern[1:])
    return name == pattern.strip("[]")


def _host_complaint(host: bytes) -> str:
    return f"Host {host.decode('latin-1')!r} is not allowed" if host else "the request has no Host"
