"""The words before the faults on docs/faults.md: what a fault is, how often it befalls, and how it is written."""

from __future__ import annotations

INTRODUCTION = """\
# Faults

A fault is one thing that goes wrong on purpose, at one place: an acknowledgement that gets lost, a read that shows
what was true a moment ago, a cancel that nobody obeys. Real servers do all of this. Here you choose what goes wrong
and how often, or when, and the same seed does it again.

Faults are set in the environment of the server and never in a payload. `dummyllm faults` lists them in a terminal,
`dummyllm faults submit.lost_ack` tells all about one, and `dummyllm faults --markdown` writes this page.

## By percent

    export DUMMYLLM_FAULTS="submit.lost_ack=5, submit.status(429,retry_after=2)=10, poll.stale(reads=3)=2.5%"

Every submit has a chance of 5 % that its acknowledgement gets lost and one of 10 % that it is refused with 429; every
job has one of 2.5 % that it seems to run for three reads longer than it does. A percentage goes from 0 to 100, with
at most four decimals. What it is a percentage of is the fault's **unit**:

| unit | a percentage of | drawn with |
| --- | --- | --- |
| `submit` | all well-formed submits, retries too | how often this work was submitted before |
| `job` | all accepted jobs; decided when the job is accepted, as a part of its fate | the job's ordinal |
| `poll` | all status reads of a job | the job's ordinal, and how often the job was read before |

- Every fault is drawn for itself, at its **site**: its name and the argument that goes without a name, such as
  `submit.status(429)`. So no fault moves another one's draws, a higher percentage only adds to what a lower one
  befell, and `retry_after` may change without moving anything. A site has one percentage; `submit.status(429)` and
  `submit.status(503)` are two sites.
- Faults that cannot befall the same thing together **exclude** each other. Of those that were drawn, the first in the
  table below is served, and the journal has the others as `drawn, not served`.
- A submit that repeats an Idempotency-Key gets the job that it already has. Its answer is an answer of its own: what
  befalls that is drawn anew.

The counters, and how a draw is made, are in [determinism.md](determinism.md); what counts as the same work is in
[settings.md](settings.md).

## By script

    export DUMMYLLM_SCRIPT="ok+submit.lost_ack*2, hang+cancel.ignored, fail*3, ok"

A script leaves nothing to chance. Each piece of work goes through its steps, one after the other, and the last one
repeats: here two jobs whose acknowledgements get lost, one that hangs and ignores its cancel, three that fail, and
then all is well.

- A step is a mode, `ok` if none is named, and the faults that befall its job for certain.
- The next step comes when a job was accepted, or when the step itself refused the submit. A step that refuses
  (`submit.status`, `submit.reset`) holds nothing else: it leaves no job for anything to befall.
- Faults that exclude each other cannot share a step. A fault of unit `poll` befalls the first status read,
  and goes before `poll.missing` and `poll.unknown_state`, which count it as theirs: give them `reads=2` beside it.
- What a step does to a submit takes the place of what was drawn for it. What it does to the answer befalls only the
  submit that made the job.

## How they are written

    faults   = item *( "," item ) [","]              ; blanks are free around every token; names are lower case
    item     = fault "=" percent
    script   = step *( "," step ) [","]
    step     = part *( "+" part ) ["*" count]        ; at most one mode, and first; no mode means ok
    part     = mode / fault                          ; the faults of a step differ in name
    fault    = word "." word [ "(" [ arg *( "," arg ) ] ")" ]
    arg      = value / word "=" value                ; at most one positional, and first; no name twice
    value    = number / word
    mode     = "ok" / "echo" / "slow" / "fail" / "hang" / "timeout" / "flaky"
    percent  = number ["%"]                          ; 0 … 100, at most four decimals, kept as integer millionths
    count    = 1*5DIGIT                              ; 1 … 10000
    number   = 1*9DIGIT [ "." 1*4DIGIT ]
    word     = lower *( lower / DIGIT / "_" / "-" )

An argument with a default can be left out: `poll.stale` is `poll.stale(reads=1)`. A mistake stops the server, which
says where it stands and what was expected there. `submit.status(200)=5` gets

    column 1: expected a whole number from 400 to 599 as code of submit.status, found 200
"""
