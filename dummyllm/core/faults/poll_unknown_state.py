"""`poll.unknown_state`: a job is in a state that nobody documented."""

from __future__ import annotations

from dummyllm.core.faults.effect import Mask
from dummyllm.core.faults.kind import ANY_WORD, READS, Kind, Parameter, Unit
from dummyllm.core.timeline import State

KIND = Kind(
    name="poll.unknown_state",
    unit=Unit.JOB,
    parameters=(
        Parameter(
            name="name",
            help="the state that is shown",
            default="paused",
            words=ANY_WORD,
            not_words=tuple(state.value for state in State),
        ),
        READS,
    ),
    effect=Mask,
    excludes="first reads",
    costs="Loops that know a fixed set of states, and no deadline, poll for ever when another one comes "
    "(openai/openai-python#1407, apimatic/apimatic-cli#305; symfony/ai#2082 knew only one end, the good one).",
    sees="The first `reads` status reads show the state `name`, which is none of the documented six, without a "
    "result; after them the truth.",
    good_runner="Takes a state that it does not know for one that is not the end, keeps polling, and cancels at its "
    "deadline.",
    exercises=("unknown-state-tolerated", "no-concurrent-duplicate"),
    suspends=("terminal-state-read", "quiet-after-terminal"),
)
