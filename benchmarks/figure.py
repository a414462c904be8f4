"""A figure: one number, what it should reach, and how far the rounds it was taken from lie apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The values we are content with, both ends included."""

    least: float | None = None
    most: float

    def holds(self, value: float) -> bool:
        return value <= self.most and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return f"≤ {self.most:g}" if self.least is None else f"{self.least:g} … {self.most:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """*low* and *high* are the extremes of single rounds; *note* says what the number was made from."""

    name: str
    value: float
    unit: str
    reach: Reach
    low: float | None = None
    high: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool:
        # Judged as printed: nobody should read "1.30, reach 1.3: missed".
        return self.reach.holds(round(self.value, 2))


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What stands in the place of a measurement's figures when it could not be made."""

    name: str
    reason: str
