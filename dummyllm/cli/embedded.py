"""Answers a chat from a backend inside this process: the code a server runs, without a socket and without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from dummyllm import eliza
from dummyllm.assembly import backend_of
from dummyllm.backend import Refused
from dummyllm.cli.partner import Manner, Message, TroubleError, explanation, payload_of
from dummyllm.clock import ManualClock
from dummyllm.core.snapshot import Snapshot
from dummyllm.settings import Settings, load
from dummyllm.store import Full
from dummyllm.web.decode import decode_request
from dummyllm.web.refusal import Refusal

TIMEOUT_MS = 8_000


class Embedded:
    """A partner with *settings*, on a clock that is moved to the end of each job."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = ManualClock()
        self._backend = backend_of(settings, self._clock)
        replies = self._backend.replies
        self._manner = Manner(replies.script or eliza.own_script(), replies.eliza_seed)
        self.title = f"an embedded server, mode {settings.mode.value}, seed {settings.seed}"

    def greet(self) -> str:
        """Return the greeting of the script."""
        return eliza.reply(self._manner.script, [], seed=self._manner.seed)

    def answer(self, messages: Sequence[Message]) -> str:
        """Return the reply of a job of its own; raise `TroubleError` if it ends badly or never."""
        return asyncio.run(self._answer(payload_of(messages, timeout_ms=TIMEOUT_MS)))

    async def _answer(self, body: bytes) -> str:
        backend = self._backend
        try:
            if len(body) > self._settings.max_body_bytes:
                raise TroubleError(f"the conversation is longer than {self._settings.max_body_bytes} bytes; try /new")
            job = await backend.accept(decode_request(body, self._settings.unknown))
        except Refusal as refusal:
            raise TroubleError(f"refused, {refusal.code}: {refusal.message}") from None
        except Refused:
            raise TroubleError("no answer: every submit is refused, by a script or by a fault") from None
        except Full:
            raise TroubleError("refused, FULL: every place is taken by an unfinished job") from None
        if job.ends_at_ms is None:
            raise TroubleError("no answer: the job hangs, and would for ever")
        self._clock.advance(job.ends_at_ms - self._clock.now_ms())
        snapshot, _ = backend.look(job)
        return backend.reply(job).text if snapshot.failure is None else _raise(snapshot)

    def explain(self, messages: Sequence[Message], reply: str) -> str | None:
        """Return how *reply* came about; None if it is not ELIZA's."""
        return explanation([self._manner], messages, reply)


def _raise(snapshot: Snapshot) -> str:
    assert snapshot.failure is not None
    raise TroubleError(f"the job ended in {snapshot.state.value}, {snapshot.failure.code}: {snapshot.failure.message}")


def embedded(environ: Mapping[str, str], seed: int | None) -> Embedded:
    """Return the partner that *environ* asks for, with latency 0 and *seed* if there is one; raise `SettingsError`."""
    chosen = {"DUMMYLLM_LATENCY_MS": "0"} | ({} if seed is None else {"DUMMYLLM_SEED": str(seed)})
    return Embedded(load({**environ, **chosen}))
