"""Awaits what may be done already, without the cost of waiting.

Most bodies have arrived when their handler first asks for them. Then `receive()` ends without giving up control: nobody
waits, and no deadline is needed. Only a coroutine that does suspend is awaited, under one.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Suspended(Generic[Result]):
    """The rest of *coroutine*, which was started by hand and has yielded *first*; awaiting this goes on with it."""

    __slots__ = ("_coroutine", "_first")

    def __init__(self, coroutine: Coroutine[Any, Any, Result], first: object) -> None:
        self._coroutine = coroutine
        self._first = first

    def __await__(self) -> Generator[Any, Any, Result]:
        """Hand up what the coroutine yields, and down what is sent or thrown, as `yield from` does (PEP 380)."""
        yielded = self._first
        while True:
            try:
                try:
                    sent = yield yielded
                except BaseException as error:  # noqa: BLE001  # a cancellation is the coroutine's to handle
                    yielded = self._coroutine.throw(error)
                else:
                    yielded = self._coroutine.send(sent)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
