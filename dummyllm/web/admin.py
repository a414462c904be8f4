"""The operator's routes under `/__admin/`: what is set, what was seen, what was decided, and a fresh start.

GETs change nothing; they work over loopback, or elsewhere with the key. POSTs need `DUMMYLLM_ADMIN=1` as well.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from dummyllm.backend import Backend
from dummyllm.core.decision import (
    Decision,
    FaultDecision,
    LatencyDecision,
    decisions_of,
    job_decisions,
    latency_decision,
    read_decisions,
    submit_decisions,
)
from dummyllm.core.policy import Policy
from dummyllm.journal import Entry, What
from dummyllm.journal_line import line_of
from dummyllm.recording import recorded
from dummyllm.settings import Settings
from dummyllm.trial import Case
from dummyllm.web.access import is_loopback
from dummyllm.web.admin_query import Wanted, names, number, switch, wanted
from dummyllm.web.admin_views import (
    ConfigView,
    Decided,
    DecisionsView,
    JournalView,
    Move,
    Moved,
    Reset,
    SettingView,
)
from dummyllm.web.decode import plain
from dummyllm.web.encode import encode
from dummyllm.web.refusal import ClientGone, Refusal
from dummyllm.web.waits import Waits

LIMIT_DEFAULT = 1_000
LIMIT_MAX = 10_000
JSON_LINES = "application/jsonl"


class Admin:
    """The routes under `/__admin/`, on *backend*."""

    def __init__(self, backend: Backend, settings: Settings, waits: Waits) -> None:
        self._backend = backend
        self._settings = settings
        self._waits = waits

    async def config(self, request: Request) -> Response:
        """`GET /__admin/config`: every setting, its value, and where it came from."""
        self._check_reader(request)
        rows = [
            SettingView(o.setting.variable, o.shown, o.source, o.setting.default, o.setting.allowed, o.setting.help)
            for o in self._settings.origins
        ]
        return _json(ConfigView(rows, list(self._settings.notes)))

    async def journal(self, request: Request) -> Response:
        """`GET /__admin/journal?since=&limit=&what=&job=&fault=`: what the server saw and did."""
        self._check_reader(request)
        entries, following = self._page(request, wanted(request))
        return _json(
            JournalView(
                [line_of(entry, self._backend.journal.zero_s) for entry in entries],
                following,
                self._backend.journal.dropped,
            )
        )

    async def journal_file(self, request: Request) -> Response:
        """`GET /__admin/journal.jsonl`: the run so far as DUMMYLLM_JOURNAL keeps it in a file."""
        self._check_reader(request)
        body = await run_in_threadpool(Case(self._backend, self._settings).as_file)
        return Response(body, media_type=JSON_LINES)

    async def decisions(self, request: Request) -> Response:
        """`GET /__admin/decisions?since=&limit=`: both digests, and the draws behind every request in the journal."""
        self._check_reader(request)
        entries, following = self._page(request)
        backend = self._backend
        found = [decided for entry in entries if (decided := await self._decided(entry)) is not None]
        view = DecisionsView(backend.fates_digest, backend.traffic.digest, found, following, backend.journal.dropped)
        return _json(view)

    async def verdict(self, request: Request) -> Response:
        """`GET /__admin/verdict?final=&require=`: what the runner did wrong so far, as far as it is proven."""
        from dummyllm.verdict.judge import UnknownRule  # noqa: PLC0415  # comes with the judge, who is fetched now

        self._check_reader(request)
        is_final = switch(request, "final")
        required = names(request, "require")
        case = Case(self._backend, self._settings)
        try:
            verdict = await run_in_threadpool(case.verdict, is_final=is_final, required=required)
        except UnknownRule as error:
            raise Refusal("INVALID_REQUEST", f"{error} - at `query.require`") from None
        return _json(verdict)

    async def faults(self, request: Request) -> Response:
        """`GET /__admin/faults`: what befell the run so far, as DUMMYLLM_REPLAY reads it."""
        self._check_reader(request)
        return Response("\n".join([*recorded(self._backend), ""]), media_type="text/plain")

    async def reset(self, request: Request) -> Response:
        """`POST /__admin/reset?force=`: forget every job, counter and entry. While others wait, only if forced."""
        self._check_writer(request)
        if not switch(request, "force") and self._waits.count:
            message = f"requests still open: {self._waits.count}; wait for them, or reset all the same with ?force=1"
            raise Refusal("BUSY", message)
        self._backend.reset()
        return _json(Reset(ok=True))

    async def clock(self, request: Request) -> Response:
        """`POST /__admin/clock` with `{"advance_ms": N}`: move a manual clock."""
        self._check_writer(request)
        if self._settings.clock.name != "manual":
            message = (
                f"the clock is {self._settings.clock.name}; start the server with DUMMYLLM_CLOCK=manual to move it"
            )
            raise Refusal("CLOCK_NOT_MANUAL", message)
        body = await self._waits.bounded(_body(request, self._settings.max_body_bytes))
        try:
            move = msgspec.json.decode(body, type=Move)
        except msgspec.ValidationError as error:
            raise Refusal("INVALID_REQUEST", f'{plain(error)}; write {{"advance_ms": 250}}') from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Refusal("BAD_JSON", f"the body is not JSON: {error}") from None
        await self._backend.advance(int(move.advance_ms))
        return _json(Moved(self._backend.clock.now_ms()))

    def _check_writer(self, request: Request) -> None:
        self._check_reader(request)
        if not self._settings.admin:
            raise Refusal("ADMIN_OFF", "POST under /__admin/ is off; start the server with DUMMYLLM_ADMIN=1")

    def _check_reader(self, request: Request) -> None:
        # A request with a key got past the access rules already: it is the right one.
        if self._settings.api_key is not None:
            return
        ends = [request.scope.get("server"), request.scope.get("client")]
        if not all(end is None or is_loopback(end[0]) for end in ends):
            raise Refusal(
                "ADMIN_OFF", "/__admin/ is open to this machine only; set DUMMYLLM_API_KEY to use it from elsewhere"
            )

    def _page(self, request: Request, is_wanted: Wanted | None = None) -> tuple[list[Entry], int]:
        """Return the entries asked for, and the number of the first one that nobody has looked at for this."""
        since = number(request, "since", default=0, most=2**53)
        limit = number(request, "limit", default=LIMIT_DEFAULT, most=LIMIT_MAX)
        journal = self._backend.journal
        entries: list[Entry] = []
        following = min(since, journal.dropped + len(journal))  # after a reset there are fewer than before
        for entry in journal.since(since):
            if len(entries) == limit:
                break
            following = entry.seq + 1
            if is_wanted is None or is_wanted(entry):
                entries.append(entry)
        return entries, following

    async def _decided(self, entry: Entry) -> Decided | None:
        """Return why the request of *entry* came out as it did, or None if nothing was decided about it."""
        if entry.identity is None or entry.what not in (What.SUBMIT, What.POLL, What.CANCEL):
            return None
        job = None if entry.job is None else await self._backend.job(entry.job)
        draws: tuple[Decision, ...] = ()
        latency: LatencyDecision | None = None
        faults: tuple[FaultDecision, ...] = ()
        match entry.what:
            case What.SUBMIT:
                assert entry.hit is not None, "every submit that was decided about has a hit"
                is_again = entry.sent is not None and entry.sent.is_replay  # then the hit is another identity's, maybe
                policy = self._policy(entry.rule) if job is None or is_again else job.policy
                faults = submit_decisions(policy, entry.identity, entry.hit, entry.fault)
                if job is not None:
                    draws = decisions_of(job.policy, job.identity, job.ordinal, job.fate.mode)
                    latency = latency_decision(job.policy, job.identity, job.ordinal)
                elif entry.ordinal is not None:
                    draws = decisions_of(policy, entry.identity, entry.ordinal)
                    latency = latency_decision(policy, entry.identity, entry.ordinal)
                if job is not None:
                    faults += job_decisions(job)
            case _ if job is not None:
                # What befalls a request may have been decided with its job, long before.
                faults = tuple(one for one in job_decisions(job) if one.fault == entry.fault)
                if entry.what is What.POLL and entry.n is not None:
                    faults += read_decisions(job, entry.n, None if faults else entry.fault)
        if not entry.served:
            faults = tuple(replace(one, served=one.served and one.fault != entry.fault) for one in faults)
        if entry.what is not What.SUBMIT and not faults:
            return None
        return Decided(
            entry.seq, entry.what, entry.identity.hex(), draws, faults, entry.job, entry.hit, entry.ordinal, entry.n,
            entry.rule, latency,
        )  # fmt: skip

    def _policy(self, rule: str | None) -> Policy:
        """Return the policy of the *rule* of that name, or the server's own."""
        policy = self._backend.policy
        return next((one.policy for one in policy.rules if one.name == rule), policy)


async def _body(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > bytes_max:
                message = f"the body is longer than {bytes_max} bytes (DUMMYLLM_MAX_BODY_BYTES)"
                raise Refusal("TOO_LARGE", message, closes=True)
    except ClientDisconnect:
        raise ClientGone from None
    return bytes(body)


def _json(view: msgspec.Struct) -> Response:
    return Response(encode(view), media_type="application/json")
