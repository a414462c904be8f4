"""Reads what the operator's routes are asked with; what cannot be read is refused, with the name of the parameter."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request

from dummyllm.journal import Entry, What
from dummyllm.setting_values import nearest
from dummyllm.web.refusal import Refusal

_JOB = re.compile(r"job_[0-9a-f]{24}", re.ASCII)

Wanted = Callable[[Entry], bool]


def switch(request: Request, name: str) -> bool:
    """Return whether *name* is 1; it is 0 if left out."""
    text = request.query_params.get(name, "0")
    if text not in ("0", "1"):
        raise _unreadable(name, text, "neither 1 nor 0")
    return text == "1"


def number(request: Request, name: str, *, default: int, most: int) -> int:
    """Return the whole number that *name* is, at most *most*."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= most):
        raise _unreadable(name, text, f"not a whole number from 0 to {most}")
    return int(text)


def names(request: Request, name: str) -> list[str]:
    """Return the words of a list with commas between; blanks around them are none of them."""
    words = [word.strip(" ") for word in request.query_params.get(name, "").split(",")]
    return [word for word in words if word]


def wanted(request: Request) -> Wanted | None:
    """Return what tells the entries that are asked for from others, by `what`, `job` and `fault`; None if all are."""
    tests: list[Wanted] = []
    what = request.query_params.get("what")
    if what is not None:
        if what not in list(What):
            hint = nearest(what, list(What))
            raise _unreadable("what", what, f"none of {', '.join(What)}{hint}")
        tests.append(lambda entry: entry.what == what)
    job = request.query_params.get("job")
    if job is not None:
        if _JOB.fullmatch(job) is None:
            raise _unreadable("job", job, "no job id; an id is job_ and 24 hex digits")
        tests.append(lambda entry: entry.job == job)
    if switch(request, "fault"):
        tests.append(lambda entry: entry.fault is not None)
    return (lambda entry: all(test(entry) for test in tests)) if tests else None


def _unreadable(name: str, text: str, why: str) -> Refusal:
    return Refusal("INVALID_REQUEST", f"{name}={text[:40]!r} is {why} - at `query.{name}`")
