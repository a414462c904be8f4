"""`connection.close_idle`: a keep-alive connection ends right after an answer."""

from __future__ import annotations

from dummyllm.core.faults.effect import CloseAfter
from dummyllm.core.faults.kind import Kind, Unit

KIND = Kind(
    name="connection.close_idle",
    unit=Unit.SUBMIT,
    effect=CloseAfter,
    befalls_answer=True,
    excludes="submit",
    costs="The next request on a pooled connection fails (nodejs/node#47130, nodejs/undici#3492); 2 to 27 % of a "
    "burst did (InsForge/InsForge#1813).",
    sees="The answer to the submit arrives whole; then the server closes the connection, without having said "
    "`Connection: close`.",
    good_runner="Takes a connection that ended before it carried a request for what it is: that request was not "
    "processed and goes out once more, at once, on a new connection. The job is well.",
    exercises=("no-concurrent-duplicate", "terminal-state-read"),
)
