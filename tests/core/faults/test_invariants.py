"""The ids of the verdict's rules, and the groups of them that faults suspend."""

from __future__ import annotations

import re

from dummyllm.core.faults.invariants import FAILED_READ, LATE_ACK, LOST_CANCEL, PASSING_STATUSES, RULES, STAYING


def test_every_id_is_one_of_a_kind() -> None:
    """Lower case, dashes between words, no id twice."""
    assert len(RULES) == len({*RULES}) == 21
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+|backoff|jitter|isolation", rule) for rule in RULES)


def test_every_group_is_of_rules() -> None:
    """A group names rules that exist, each once."""
    for group in (FAILED_READ, LATE_ACK, LOST_CANCEL, STAYING):
        assert len(group) == len({*group} & {*RULES})


def test_errors_that_pass_are_told_from_those_that_last() -> None:
    """408, 425, 429, and 5xx other than 501, 505 and 511."""
    passing = {408, 425, 429, 500, 502, 503, 504, 506, 510, 512, 529, 599}
    lasting = {400, 401, 403, 404, 407, 409, 410, 413, 422, 424, 426, 428, 430, 499, 501, 505, 511, 600}

    assert passing <= PASSING_STATUSES
    assert not lasting & PASSING_STATUSES
