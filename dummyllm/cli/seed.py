"""`dummyllm seed find`: the smallest seed under which payloads fare as somebody wants them to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from dummyllm.cli.main import STDIN
from dummyllm.cli.news import News
from dummyllm.cli.payload import decode, read, refused
from dummyllm.cli.terminal import Status, Terminal
from dummyllm.core.fingerprint import identity_of
from dummyllm.core.foresight import ENDINGS, MANNERS, labels, outcomes, with_seed
from dummyllm.core.latency import FIXED
from dummyllm.core.mode import Mode
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.setting_values import nearest
from dummyllm.settings import Settings, SettingsError, load
from dummyllm.web.refusal import Refusal

CHECK_EVERY = 256
COUNT_MAX = 10_000
MOST_MAX = 10**12
ANY = "any"

Want = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the submits of one request are to come to, one after another."""

    request: JobRequest
    identity: Identity
    want: Want

    def comes_true(self, policy: Policy) -> bool:
        """Say whether it does under *policy*."""
        told = outcomes(policy, self.request, self.identity)
        return all(words <= labels(outcome) for words, (_, outcome) in zip(self.want, told, strict=False))


def seed(
    action: Annotated[Literal["find"], Parameter(name="ACTION", help="find is all there is.")],
    file: Annotated[str | None, Parameter(name="FILE", help="A payload, or - for standard input.")] = None,
    /,
    *,
    want: Annotated[
        str | None, Parameter(help="What its submits come to, such as fail,fail,ok or refused,ok+poll.stale.")
    ] = None,
    want_file: Annotated[
        str | None, Parameter(help="Several payloads: on each line the path of one, a blank, and what is wanted.")
    ] = None,
    count: Annotated[int, Parameter(help="How many seeds to find.")] = 1,
    first: Annotated[int, Parameter(help="The seed to begin with.")] = 0,
    most: Annotated[int, Parameter(help="How many seeds to try.")] = 100_000_000,
    terminal: Annotated[Terminal, Parameter(parse=False)],
) -> Status:
    """Find the smallest seed that does what is wanted."""
    mistakes = [] if 1 <= count <= COUNT_MAX else [f"--count {count} is no number of seeds; use 1 to {COUNT_MAX}"]
    mistakes += [] if 1 <= most <= MOST_MAX else [f"--most {most} is no number of tries; use 1 to {MOST_MAX}"]
    if (file is None or want is None) == (want_file is None) or (file is None) != (want is None):
        mistakes.append("say FILE --want OUTCOMES for one payload, or --want-file FILE for several")
    try:
        settings = load(terminal.environ)
    except SettingsError as error:
        return terminal.refuse([*mistakes, *error.mistakes])
    if mistakes:
        return terminal.refuse(mistakes)
    try:
        pairs = [(file, want)] if file is not None and want is not None else list(_pairs(str(want_file)))
        wishes = [_wish(path, text, settings, terminal) for path, text in pairs]
        _refuse_twins(wishes)
    except ValueError as error:
        return terminal.refuse([str(error)])
    except Refusal as refusal:
        return terminal.fail(refused(refusal))
    return _search(wishes, settings, terminal, wanted=count, first=first, most=most)


def _search(
    wishes: Sequence[Wish], settings: Settings, terminal: Terminal, *, wanted: int, first: int, most: int
) -> Status:
    policies = _policies(settings, first)
    news = News(terminal)
    found = 0
    for tried, (number, policy) in enumerate(policies, start=1):
        if all(wish.comes_true(policy) for wish in wishes):
            terminal.say(str(number))
            found += 1
        if found == wanted:
            return Status.OK
        if tried == 1 and not _has_chance(settings):
            return terminal.fail(
                "nothing is left to chance here, so all seeds do the same, and not that; set DUMMYLLM_MODE=flaky or "
                "random, or DUMMYLLM_FAULTS"
            )
        if tried == most:
            break
        if tried % CHECK_EVERY == 0 and news.are_due:
            news.tell(f"{tried:,} seeds tried in {news.passed_s:.0f} s, {found} found; Ctrl-C ends it")
    return terminal.fail(
        f"of {most:,} seeds from {first} on, {found} do that; a script (DUMMYLLM_SCRIPT) does it without a search"
    )


def _has_chance(settings: Settings) -> bool:
    """Say whether anything may depend on the seed. Rules and scripts are not looked into: they may draw, or not."""
    policy = settings.policy
    draws = policy.submit_odds or policy.job_odds or policy.poll_odds or policy.rules or policy.script
    return bool(draws) or settings.swarm or policy.mode in (Mode.RANDOM, Mode.FLAKY) or policy.shape is not FIXED


def _policies(settings: Settings, first: int) -> Iterator[tuple[int, Policy]]:
    base = settings.policy
    for number in count(first):
        # Which faults a swarm has in play depends on the seed, so there the whole policy is made anew.
        yield number, replace(settings, seed=number).policy if settings.swarm else with_seed(base, number)


def _pairs(want_file: str) -> Iterator[tuple[str, str]]:
    try:
        lines = Path(want_file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{want_file!r} cannot be read ({reason}); use the path of a file of wants") from None
    folder = Path(want_file).parent
    found = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        path, _, text = line.strip().rpartition(" ")
        if not path:
            raise ValueError(f"{want_file}, line {number}: {line.strip()!r} lacks its want; write PATH fail,fail,ok")
        found += 1
        yield path.strip() if path.strip() == STDIN else str(folder / path.strip()), text
    if not found:
        raise ValueError(f"{want_file!r} has no line; write PATH fail,fail,ok on each")


def _wish(path: str, text: str, settings: Settings, terminal: Terminal) -> Wish:
    request = decode(read(path, terminal), settings)
    return Wish(request, identity_of(settings.identity, request), read_want(text))


def read_want(text: str) -> Want:
    """Return what *text* wants of each submit; raise ValueError if it has a word that nothing comes to."""
    from dummyllm.core.faults.registry import KINDS  # noqa: PLC0415

    known = [*ENDINGS, *MANNERS, *KINDS, ANY]
    want = []
    for step in text.removesuffix(",").split(","):
        words = [word.strip() for word in step.split("+")]
        for word in words:
            if word.partition("(")[0] not in known:
                allowed = f"{', '.join([*ENDINGS, *MANNERS, ANY])} or the name of a fault, joined by +"
                raise ValueError(f"--want has {word!r}, which no submit comes to; use {allowed}{nearest(word, known)}")
        want.append(frozenset(words) - {ANY})
    return tuple(want)


def _refuse_twins(wishes: Sequence[Wish]) -> None:
    if len({wish.identity for wish in wishes}) < len(wishes):
        raise ValueError("two of the payloads are the same work, and share their counters; put their wants in one line")
