"""payload-integrity: what was to be sent is what is sent, in every attempt."""

from __future__ import annotations

import pytest

from dummyllm.verdict.attempts import Same
from dummyllm.verdict.finding import Evidence
from dummyllm.verdict.invariants.payload_integrity import INVARIANT
from dummyllm.verdict.run import Expected
from tests.verdict.told import Told, job_id


def expect(*payloads: str) -> tuple[Expected, ...]:
    """Return what a file with these payloads asks for."""
    return tuple(Expected(number, f"{payload:>032}", "llm.chat") for number, payload in enumerate(payloads, start=1))


def judged(told: Told, *payloads: str, is_final: bool = True, **more: int) -> Evidence:
    """Return what is found when *payloads* were to be sent."""
    return INVARIANT.judge(told.run(expected=expect(*payloads), is_final=is_final, **more))


def test_another_payload_with_the_same_key_convicts() -> None:
    """The evidence is both attempts."""
    told = Told()
    first = told.submit("a", status=503, key="k")
    second = told.later(100).submit("b", job=1, key="k")
    found = INVARIANT.judge(told.run())

    assert [finding.entries for finding in found.breaches] == [(first.seq, second.seq)]
    assert found.premises == 1


def test_the_same_payload_with_the_same_key_is_a_retry() -> None:
    """Equal canonically: how the bytes are written does not matter."""
    told = Told()
    told.submit("a", status=503, key="k", body="9-a")
    told.submit("a", job=1, key="k", body="10-a")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_other_keys_and_no_keys_are_not_compared() -> None:
    """Nothing says that they are attempts at the same thing."""
    told = Told()
    told.submit("a", key="k1")
    told.submit("b", key="k2")
    told.submit("c")
    told.submit("d")

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(("same", "breaches"), [(Same.TRACE_ID, 1), (Same.AUTO, 0), (Same.PAYLOAD, 0)])
def test_one_trace_id_is_one_payload_where_it_is_one_job(same: Same, breaches: int) -> None:
    """Elsewhere one trace may span many jobs."""
    told = Told(same=same)
    told.submit("a", job=1, trace_id="t")
    told.submit("b", job=2, trace_id="t")
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (breaches, breaches)


def test_null_trace_ids_are_not_shared() -> None:
    """What nobody has holds nothing together."""
    told = Told(same=Same.TRACE_ID)
    told.submit("a", job=1)
    told.submit("b", job=2)

    assert INVARIANT.judge(told.run()).premises == 0


@pytest.mark.parametrize(
    ("status", "delivered", "breaches"),
    [(413, "yes", 0), (422, "yes", 0), (422, "unknown", 0), (422, "no", 1), (400, "yes", 1), (503, "yes", 1)],
)
def test_a_repair_after_a_413_or_422_starts_anew(status: int, delivered: str, breaches: int) -> None:
    """Unless its client surely never heard that anything was wrong."""
    told = Told()
    told.submit("a", status=status, key="k", delivered=delivered)
    told.submit("b", job=1, key="k")

    assert len(INVARIANT.judge(told.run()).breaches) == breaches


def test_what_comes_after_a_repair_is_compared_with_it() -> None:
    """The repaired payload is the one to be kept."""
    told = Told()
    told.submit("a", status=422, key="k")
    repair = told.submit("b", status=503, key="k")
    again = told.submit("a", job=1, key="k")

    assert [finding.entries for finding in INVARIANT.judge(told.run()).breaches] == [(repair.seq, again.seq)]


def test_a_payload_that_was_never_decoded_is_not_compared() -> None:
    """Nobody knows what it says."""
    told = Told()
    told.submit("a", status=503, key="k")
    told.submit(status=400, key="k", fingerprint=None)
    told.submit("a", job=1, key="k")
    found = INVARIANT.judge(told.run())

    assert (found.premises, found.breaches) == (1, [])


def test_a_fault_that_says_the_payload_is_wrong_suspends_the_comparison() -> None:
    """Whoever is told so may repair it; of a status that passes by itself nobody is."""
    for status, premises in ((400, 0), (503, 1)):
        told = Told()
        told.submit("a", status=status, key="k", fault=f"submit.status({status})")
        told.submit("b", job=1, key="k")

        assert INVARIANT.judge(told.run()).premises == premises


@pytest.mark.parametrize(
    ("status", "names_unknown", "delivered", "breaches"),
    [(422, True, "yes", 1), (422, True, "unknown", 0), (422, False, "yes", 0), (201, True, "yes", 0)],
)
def test_a_member_that_nobody_knows_convicts(
    status: int, delivered: str, breaches: int, *, names_unknown: bool
) -> None:
    """If the 422 that named it was delivered; some servers are told to ignore it."""
    told = Told()
    told.submit(status=status, names_unknown=names_unknown, delivered=delivered)
    found = INVARIANT.judge(told.run())

    assert (found.premises, len(found.breaches)) == (breaches, breaches)


def test_what_was_expected_and_came_is_well() -> None:
    """Every accepted payload is one of those, and every one of those came, even if it was refused."""
    told = Told()
    told.submit("a", job=1)
    told.submit("b", status=422)
    found = judged(told, "a", "b")

    assert (found.premises, found.breaches, found.warnings) == (1, [], [])


def test_an_accepted_payload_that_nobody_expected_convicts() -> None:
    """It was changed on its way through the runner."""
    told = Told()
    told.submit("a", job=1)
    line = told.submit("x", job=2)
    found = judged(told, "a")

    assert [(finding.entries, finding.job) for finding in found.breaches] == [((line.seq,), job_id(2))]
    assert found.premises == 2


@pytest.mark.parametrize("members", [{"status": 503}, {"job": 2, "delivered": "no"}], ids=["refused", "not acked"])
def test_what_was_not_accepted_or_not_acknowledged_is_not_compared(members: dict[str, object]) -> None:
    """Jobs never acknowledged are exempt everywhere."""
    told = Told()
    told.submit("a", job=1)
    told.submit("x", **members)

    assert judged(told, "a").breaches == []


def test_what_was_expected_and_never_came_convicts() -> None:
    """The message names its line; there is no entry to point at."""
    told = Told()
    told.submit("a", job=1)
    (finding,) = judged(told, "a", "b").breaches

    assert "line 2" in finding.message
    assert finding.entries == ()


def test_what_may_still_come_is_pending() -> None:
    """Before the run is over."""
    found = judged(Told(), "a", is_final=False)

    assert (len(found.pending), found.breaches) == (1, [])


def test_what_may_have_fallen_out_of_the_journal_only_warns() -> None:
    """It may have been there."""
    found = judged(Told(), "a", dropped=1)

    assert (len(found.warnings), found.breaches) == (1, [])


@pytest.mark.parametrize(("status", "is_proven"), [(413, False), (401, False), (400, True), (422, True)])
def test_a_refusal_that_never_looked_at_the_payload_may_hide_one(status: int, *, is_proven: bool) -> None:
    """A 400 or 422 did look, and what was to be sent is not what came."""
    told = Told()
    told.submit(status=status, fingerprint=None)
    found = judged(told, "a")

    assert (len(found.breaches), len(found.warnings)) == ((1, 0) if is_proven else (0, 1))


@pytest.mark.parametrize(
    "refusal", [{"status": 422}, {"status": 413}, {"status": 400, "fault": "submit.status(400)"}], ids=str
)
def test_after_something_was_called_wrong_the_unexpected_may_be_a_repair(refusal: dict[str, object]) -> None:
    """Then it only warns; before that it convicts."""
    told = Told()
    told.submit("y", job=1)
    told.later(10).submit("a", **refusal)
    told.later(10).submit("x", job=2)
    found = judged(told, "a")

    assert [finding.job for finding in found.breaches] == [job_id(1)]
    assert [finding.job for finding in found.warnings] == [job_id(2)]


@pytest.mark.parametrize(("gap_ms", "breaches"), [(0, 1), (1, 0)])
def test_a_repair_comes_after_the_first_refusal(gap_ms: int, breaches: int) -> None:
    """Whatever is refused later."""
    told = Told()
    told.submit("a", status=422)
    told.later(gap_ms).submit("x", job=1)
    told.later(10).submit("a", status=422)

    assert len(judged(told, "a").breaches) == breaches


@pytest.mark.parametrize("members", [{"status": 503}, {"status": 422, "delivered": "no"}, {"job": 1}], ids=str)
def test_what_called_nothing_wrong_excuses_no_other_payload(members: dict[str, object]) -> None:
    """A failure that passes, a refusal that never arrived, a success."""
    told = Told()
    told.submit("a", **members)
    told.later(10).submit("x", job=2)

    assert [finding.job for finding in judged(told, "a").breaches] == [job_id(2)]


@pytest.mark.parametrize(
    "members", [{"job": 1, "fingerprint": None}, {"status": 503, "fingerprint": f"{'b':>032}"}], ids=str
)
def test_what_was_accepted_or_decoded_hides_nothing(members: dict[str, object]) -> None:
    """What never came never came."""
    told = Told()
    told.submit("a", **members)

    assert len(judged(told, "a").breaches) == 1


def test_work_that_was_called_wrong_is_not_compared() -> None:
    """Neither is a job for which the rule is suspended."""
    told = Told()
    told.submit("x", status=400, fault="submit.status(400)")
    told.submit("x", job=1)
    told.submit("y", job=2)
    run = told.run(expected=expect("x"))
    run.stories[job_id(2)].suspended = frozenset({INVARIANT.id})
    found = INVARIANT.judge(run)

    assert (found.premises, found.breaches, found.warnings) == (0, [], [])


def test_without_anything_to_compare_it_is_not_exercised() -> None:
    """One submit, no key, no list."""
    told = Told()
    told.submit("a", job=1)

    assert INVARIANT.judge(told.run()).premises == 0
