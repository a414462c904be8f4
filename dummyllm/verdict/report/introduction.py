"""The words before the rules on docs/verdict.md: what is judged, what counts as proof, and how to ask for it."""

from __future__ import annotations

from dummyllm.core.faults.invariants import PASSING

INTRODUCTION = """\
# The verdict

When a run is over, dummyLLM says what the *runner* did wrong. It has seen every request, it knows what it did to each
of them and when every job truly ended, and it holds all that against the rules below. The runner knows nothing of
this and needs no change for it.

A false accusation costs more than a missed one: a verdict that cries wolf is switched off. So a rule fails only on
what the journal proves, and each finding names the entries that prove it. What nobody put to the test is called
`not-exercised`, and never a pass.

## How to ask

| when | how |
| --- | --- |
| a server is running | `dummyllm verdict http://127.0.0.1:8787`, or `GET /__admin/verdict?final=1` |
| it has ended | `dummyllm verdict run.jsonl`, if `DUMMYLLM_JOURNAL=run.jsonl` was set |
| it ends | `DUMMYLLM_VERDICT=print`, or the name of a file: `.json`, `.xml` for JUnit, `.md`, anything else for text |

`dummyllm verdict` exits with 0 if no rule was broken and with 1 if one was; `--format` and `--out` write the verdict
in any of the four forms. The journal of a running server can be kept as a file at any time, to be judged again later:

    curl -s http://127.0.0.1:8787/__admin/journal.jsonl > run.jsonl
    dummyllm verdict run.jsonl --require no-concurrent-duplicate,cancel-on-give-up

`--require` is for what a test is about. A required rule that was not exercised fails the run, and so does a required
advisory rule where it would have warned.

## What comes of a rule

| result | meaning |
| --- | --- |
| `pass` | the runner was put to the test, as often as *premises* says, and kept the rule |
| `warn` | something is odd, and not proven or not forbidden; it fails no run |
| `fail` | the rule was broken, and the run fails |
| `pending` | the run goes on, and the runner may still do what it owes |
| `not-exercised` | nothing put the runner to the test |

A rule is of one of three kinds. A **proven** one fails a run. An **advisory** one judges manners and warns, unless it
is required. A **declared** one wants to be told a limit first.

An obligation that is open is pending until the run is **final**: the server has ended, its file has a closing line,
or `?final=1` says so. A rule is **suspended** for a job, or for a piece of work, that was befallen by a fault after
which even an honest runner could seem to break it.

## What counts as proof

- An answer is **delivered** if it was written whole, and its connection carried another request later or the answer
  was complete within 250 ms of the request. If a fault withheld it, or its client was gone, it was not delivered.
  Anything else is unknown. Only what was delivered convicts: a runner cannot heed what it was never told.
- A job is **acknowledged** if the answer to its submit was delivered. For all others the runner cannot even know the
  id, so they are nobody's duty.
- Times are the wall's, whatever clock the jobs go by. Under `DUMMYLLM_CLOCK=manual` nobody is judged by how long they
  waited, and deadlines are judged on the wall's clock only.
- If entries fell out of the journal (`DUMMYLLM_JOURNAL_MAX`), a note says how many, and jobs without a beginning are
  left out.

## What is one piece of work

Most rules are about all attempts at one piece of work, called L1, L2 and so on. `DUMMYLLM_VERDICT_IDENTITY` says what
makes two submits the same work:

| `DUMMYLLM_VERDICT_IDENTITY` | one piece of work is |
| --- | --- |
| `auto` | what shares an Idempotency-Key, or both trace_id and payload; what shares a payload alone, but only to warn |
| `payload` | one payload: choose this where every payload of a run is different |
| `trace_id` | one trace_id |
| `key` | one Idempotency-Key |

A trace_id of null is shared by nobody, and a new key alone makes no new work. Two customers may well ask the same
thing: work that is held together by equal payloads alone is never convicted of what its attempts did to one another.
Where they overlap, or come again after a success, the verdict calls them *ambiguous*.

## What was to be sent

`DUMMYLLM_VERDICT_EXPECT=jobs.jsonl` (or `--expect`) names a file with the payloads that the runner was asked to send,
one submit body a line. `op` and `args` are compared in canonical form. What else was accepted is a mutation, and what
never came is a loss; both break `payload-integrity`.

## What a correct runner reports

The verdict's *oracle* says for every piece of work what a correct runner tells its own users: `ok`, `fail`,
`timeout`, `cancelled`, `unknown` where nobody could know, or `open` while the run goes on. It goes by what befell the
jobs and not by what the runner did. Compare it with the runner's own database: a runner can keep all rules and still
tell lies.
"""

LIMITS = """\
## The numbers

Every number that a rule goes by is a setting of whoever judges: of the server, or of the `dummyllm verdict` that
reads a file. The rules below name the defaults.
"""

RULES = f"""\
## The rules

*Exercised by* names the faults that can put a runner to the test of a rule, *suspended by* those after which it is
not judged for what they befell. A status lasts if it will not pass by itself: that is all but {PASSING}.
`dummyllm verdict --rules` lists the rules, and with the id of one it tells all about it.
"""
