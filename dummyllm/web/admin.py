"""The operator's routes under `/__admin/`: what is set, what was seen, what was decided, and a fresh start.

GETs change nothing; they work over loopback, or elsewhere with the key. POSTs need `DUMMYLLM_ADMIN=1` as well.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dummyllm.backend import Backend
from dummyllm.core.decision import Decision, decisions_of
from dummyllm.core.timeline import State
from dummyllm.journal import Delivered, Entry, What
from dummyllm.settings import Settings
from dummyllm.web.access import is_loopback
from dummyllm.web.encode import encode
from dummyllm.web.refusal import Refusal

LIMIT_DEFAULT = 1_000
LIMIT_MAX = 10_000


class SettingView(msgspec.Struct, frozen=True):
    """One setting; *source* is `environment` or `default`, and a secret is shown as stars."""

    name: str
    value: str
    source: str
    default: str
    allowed: str
    help: str


class ConfigView(msgspec.Struct, frozen=True):
    """Every setting, and what is probably not what was meant."""

    settings: list[SettingView]
    notes: list[str]


class EntryView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of the journal; members that do not apply are left out. Times are epoch milliseconds."""

    seq: int
    at_ms: int
    what: What
    delivered: Delivered
    job: str | None = None
    identity: str | None = None
    hit: int | None = None
    ordinal: int | None = None
    status: int | None = None
    state: State | None = None
    code: str | None = None
    ended_at_ms: int | None = None
    user_agent: str | None = None
    note: str | None = None
    took_ms: int = -1


class JournalView(msgspec.Struct, frozen=True):
    """Entries from `since` on, the number to go on from, and how many fell out of the ring."""

    entries: list[EntryView]
    next: int
    dropped: int


class JobDecisions(msgspec.Struct, frozen=True):
    """Why one job got its mode: no draws if the mode was set."""

    seq: int
    job: str
    identity: str
    ordinal: int
    draws: tuple[Decision, ...]


class DecisionsView(msgspec.Struct, frozen=True):
    """The fates digest, and the draws of the jobs whose submits are still in the journal."""

    fates: str
    jobs: list[JobDecisions]
    next: int
    dropped: int


class Reset(msgspec.Struct, frozen=True):
    """What a reset answers."""

    ok: bool


class Admin:
    """The routes under `/__admin/`, on *backend*."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings

    async def config(self, request: Request) -> Response:
        """`GET /__admin/config`: every setting, its value, and where it came from."""
        self._check_reader(request)
        rows = [
            SettingView(o.setting.variable, o.shown, o.source, o.setting.default, o.setting.allowed, o.setting.help)
            for o in self._settings.origins
        ]
        return _json(ConfigView(rows, list(self._settings.notes)))

    async def journal(self, request: Request) -> Response:
        """`GET /__admin/journal?since=&limit=`: what the server saw and did."""
        self._check_reader(request)
        entries, following = self._page(request)
        return _json(JournalView([_view(entry) for entry in entries], following, self._backend.journal.dropped))

    async def decisions(self, request: Request) -> Response:
        """`GET /__admin/decisions?since=&limit=`: the draws of every job in the journal, and the fates digest."""
        self._check_reader(request)
        entries, following = self._page(request)
        jobs = [self._decided(entry) for entry in entries if entry.what is What.SUBMIT and entry.job is not None]
        backend = self._backend
        return _json(DecisionsView(backend.fates_digest, jobs, following, backend.journal.dropped))

    async def reset(self, request: Request) -> Response:
        """`POST /__admin/reset`: forget every job, counter and entry."""
        self._check_reader(request)
        if not self._settings.admin:
            raise Refusal("ADMIN_OFF", "POST under /__admin/ is off; start the server with DUMMYLLM_ADMIN=1")
        self._backend.reset()
        return _json(Reset(ok=True))

    def _check_reader(self, request: Request) -> None:
        # A request with a key got past the access rules already: it is the right one.
        if self._settings.api_key is not None:
            return
        ends = [request.scope.get("server"), request.scope.get("client")]
        if not all(end is None or is_loopback(end[0]) for end in ends):
            raise Refusal(
                "ADMIN_OFF", "/__admin/ is open to this machine only; set DUMMYLLM_API_KEY to use it from elsewhere"
            )

    def _page(self, request: Request) -> tuple[list[Entry], int]:
        since = _number(request, "since", default=0, most=2**53)
        limit = _number(request, "limit", default=LIMIT_DEFAULT, most=LIMIT_MAX)
        entries: list[Entry] = []
        for entry in self._backend.journal.since(since):
            if len(entries) == limit:
                break
            entries.append(entry)
        return entries, entries[-1].seq + 1 if entries else since

    def _decided(self, entry: Entry) -> JobDecisions:
        assert entry.job is not None
        assert entry.identity is not None
        assert entry.ordinal is not None
        draws = decisions_of(self._backend.policy, entry.identity, entry.ordinal)
        return JobDecisions(entry.seq, entry.job, entry.identity.hex(), entry.ordinal, draws)


def _view(entry: Entry) -> EntryView:
    return EntryView(
        seq=entry.seq,
        at_ms=entry.at_ms,
        what=entry.what,
        delivered=entry.delivered,
        job=entry.job,
        identity=entry.identity.hex() if entry.identity is not None else None,
        hit=entry.hit,
        ordinal=entry.ordinal,
        status=entry.status or None,
        state=entry.state,
        code=entry.code,
        ended_at_ms=entry.ended_at_ms,
        user_agent=entry.user_agent.decode("latin-1") or None,
        note=entry.note,
        took_ms=entry.took_ms,
    )


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= most):
        raise Refusal(
            "INVALID_REQUEST", f"{name}={text[:40]!r} is not a whole number from 0 to {most} - at `query.{name}`"
        )
    return int(text)


def _json(view: msgspec.Struct) -> Response:
    return Response(encode(view), media_type="application/json")
