"""Asks a running server over HTTP, and says in one sentence what went wrong if it did."""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from dummyllm.cli.partner import AwayError, BarredError, TroubleError

SOCKET_TIMEOUT_S = 10


class Fetch:
    """The server at *url*, whose *key* is blank if none is wanted; *agent* says who asks."""

    def __init__(self, url: str, key: str, *, agent: str) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._agent = agent
        self._opener = build_opener(ProxyHandler({}))  # a proxy for the web knows nothing of this machine's ports

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return what the server answers; raise `AwayError` if it is not there or not ours, else `TroubleError`."""
        headers = {"Content-Type": "application/json", "User-Agent": self._agent}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = Request(self.url + path, data=body, headers=headers, method=method)  # noqa: S310  # see `url_mistake`
        try:
            with self._opener.open(request, timeout=SOCKET_TIMEOUT_S) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            raise self._refused(error) from None
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise AwayError(f"no server answers at {self.url} ({reason}); dummyllm serve starts one") from None

    def _refused(self, error: HTTPError) -> Exception:
        try:
            said = msgspec.json.decode(error.read())["detail"]["error"]
            sentence = f"refused, {said['code']}: {said['message']}"
        except (msgspec.DecodeError, OSError, HTTPException, LookupError, TypeError):
            return AwayError(f"what answers at {self.url} is no dummyLLM (status {error.code})")
        return BarredError(sentence) if error.code in (401, 403) else TroubleError(sentence)


def url_mistake(url: str, source: str) -> str | None:
    """Return what is wrong with *url*, which came from *source*; None if nothing is."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        is_good = is_good and (parts.port is None or parts.port > 0) and url.isprintable() and " " not in url
    except ValueError:
        is_good = False
    return None if is_good else f"{source}={url!r} is no URL of a server; use one such as http://127.0.0.1:8787"
