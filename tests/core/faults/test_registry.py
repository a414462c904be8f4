"""The registry: every fault of the contract is there, in order, and says of itself what it must."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from pkgutil import iter_modules

import pytest

import dummyllm.core.faults as package
from dummyllm.core.faults.fault import fault_of
from dummyllm.core.faults.invariants import RULES
from dummyllm.core.faults.kind import Kind, Unit
from dummyllm.core.faults.registry import KINDS, rivals
from dummyllm.core.grammar import parse_faults, parse_script, spelled_call

# Every fault in the order in which one goes before another, with its unit and the word that its rivals share with it.
CONTRACT = (
    ("submit.status", "submit", "submit"),
    ("submit.reset", "submit", "submit"),
    ("submit.lost_ack", "submit", "submit"),
    ("submit.cut_ack", "submit", "submit"),
    ("submit.slow_ack", "submit", "submit"),
    ("connection.close_idle", "submit", "submit"),
    ("run.vanish", "job", "run"),
    ("run.stuck_queued", "job", "run"),
    ("run.late", "job", "run"),
    ("result.empty", "job", "result"),
    ("result.cut", "job", "result"),
    ("result.unicode", "job", "result"),
    ("cancel.ignored", "job", "cancel"),
    ("cancel.slow", "job", "cancel"),
    ("cancel.lost_ack", "job", "cancel"),
    ("cancel.status", "job", "cancel"),
    ("poll.missing", "job", "first reads"),
    ("poll.unknown_state", "job", "first reads"),
    ("poll.stale", "job", "end reads"),
    ("poll.backwards", "job", "end reads"),
    ("poll.status", "poll", "poll"),
    ("poll.reset", "poll", "poll"),
    ("poll.slow", "poll", "poll"),
)

# What can be left out, what cannot, and how far each may go: as the contract has it.
ARGUMENTS = {
    "submit.status": {"code": (None, 400, 599), "retry_after": (None, 0, 86_400), "body": ("json", 0, 0)},
    "submit.slow_ack": {"ms": (2_000, 1, 600_000)},
    "run.vanish": {"after_ms": (100, 0, 86_400_000)},
    "run.late": {"factor": (1.05, 0, 1_000)},
    "result.cut": {"percent": (50, 0, 100)},
    "cancel.slow": {"ms": (1_000, 1, 86_400_000)},
    "cancel.status": {"code": (None, 400, 599)},
    "poll.missing": {"reads": (1, 1, 10_000)},
    "poll.unknown_state": {"name": ("paused", 0, 0), "reads": (1, 1, 10_000)},
    "poll.stale": {"reads": (1, 1, 10_000)},
    "poll.backwards": {"reads": (1, 1, 10_000)},
    "poll.status": {"code": (None, 400, 599), "retry_after": (None, 0, 86_400)},
    "poll.slow": {"ms": (2_000, 1, 600_000)},
}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def test_every_fault_is_there_in_the_order_in_which_it_is_served() -> None:
    """Of those that exclude each other the first in the registry's order is served."""
    assert [(name, kind.unit.value, kind.excludes) for name, kind in KINDS.items()] == list(CONTRACT)


def test_every_fault_is_one_file_that_is_named_after_it() -> None:
    """Two files with one name would hide each other, and a file that is not registered would do nothing."""
    modules = [import_module(f"{package.__name__}.{module.name}") for module in iter_modules(package.__path__)]
    files = [module for module in modules if hasattr(module, "KIND")]

    assert Counter(module.KIND.name for module in files) == Counter([*KINDS])
    assert all(module.__name__.endswith(f".{module.KIND.name.replace('.', '_')}") for module in files)


@every_kind
def test_a_fault_has_the_arguments_of_the_contract(kind: Kind) -> None:
    """Names, defaults and bounds."""
    assert {p.name: (p.default, p.least, p.most) for p in kind.parameters} == ARGUMENTS.get(kind.name, {})


@every_kind
def test_a_default_fits_its_own_bounds(kind: Kind) -> None:
    """What holds when nothing is written could have been written."""
    shown = [(parameter, parameter.shown) for parameter in kind.parameters]

    assert all(value is not None and parameter.fits(value) for parameter, value in shown)


@every_kind
def test_a_usage_can_be_copied(kind: Kind) -> None:
    """It is a fault by the grammar, in both settings, and has every argument of its kind."""
    (item,) = parse_faults(f"{kind.usage}=5")
    (step,) = parse_script(kind.usage)

    assert fault_of(item.call).kind is kind
    assert step.calls == (item.call,)
    assert spelled_call(item.call) == kind.usage
    assert len(item.call.named) + (item.call.positional is not None) == len(kind.parameters)


@every_kind
def test_at_most_one_argument_goes_without_its_name(kind: Kind) -> None:
    """At most one positional, and first."""
    assert [p.is_positional for p in kind.parameters[1:]] == [False] * len(kind.parameters[1:])


@every_kind
@pytest.mark.parametrize("text", ["costs", "sees", "good_runner"])
def test_a_fault_explains_itself_in_whole_sentences(kind: Kind, text: str) -> None:
    """What it costs a runner in the wild, what the client sees, what a good runner does."""
    said = getattr(kind, text)

    assert said[0].isupper()
    assert said.endswith(".")
    assert said == " ".join(said.split()), "two blanks, or a line of its own"


@every_kind
def test_a_cost_names_its_source(kind: Kind) -> None:
    """With issue links."""
    assert re.search(r"[\w.-]+/[\w.-]+#\d+", kind.costs)


@every_kind
def test_every_argument_is_spoken_of(kind: Kind) -> None:
    """The client sees something of each, or it would be a knob without a use; `code` is *this status*."""
    assert all(f"`{p.name}`" in kind.sees for p in kind.parameters if p.name != "code")


@every_kind
def test_a_fault_speaks_of_rules_that_exist_and_once(kind: Kind) -> None:
    """The verdict reads that table."""
    for named in (kind.exercises, kind.suspends, kind.suspends_if_lasting):
        assert {*named} <= {*RULES}
        assert len(named) == len({*named})


@every_kind
def test_no_fault_exercises_a_rule_that_it_suspends(kind: Kind) -> None:
    """Suspended rules are not judged there, so there is nothing to exercise."""
    assert not {*kind.exercises} & {*kind.suspends}


@pytest.mark.parametrize("name", ["result.empty", "result.cut", "result.unicode"])
def test_retrying_garbage_is_right(name: str) -> None:
    """no-redundant-execution: exempt if the job carried a `result.*` fault."""
    assert "no-redundant-execution" in KINDS[name].suspends


def test_only_two_faults_refuse_a_submit() -> None:
    """Before anything was committed: all other faults of a submit befall the answer to one that made a job."""
    assert [kind.name for kind in KINDS.values() if kind.refuses_submit] == ["submit.status", "submit.reset"]
    assert all(kind.befalls_answer for kind in KINDS.values() if kind.unit is Unit.SUBMIT and not kind.refuses_submit)


@pytest.mark.parametrize("name", ["submit.lost_ack", "submit.slow_ack", "cancel.lost_ack", "poll.slow"])
def test_a_fault_of_the_answer_lets_the_request_do_its_work(name: str) -> None:
    """The job exists, the cancel took effect, the read counts; only then the answer suffers."""
    assert KINDS[name].befalls_answer


@pytest.mark.parametrize("name", ["submit.reset", "cancel.status", "poll.status", "poll.reset"])
def test_a_fault_of_the_request_leaves_everything_as_it_was(name: str) -> None:
    """No job, no cancel; the job that was to be read is well."""
    assert not KINDS[name].befalls_answer


@every_kind
def test_rivals_are_each_others_rivals(kind: Kind) -> None:
    """Exclusion has no direction, stays inside one unit, and every fault knows some."""
    others = rivals(kind)

    assert others
    assert kind not in others
    assert all(kind in rivals(other) and other.unit is kind.unit for other in others)
