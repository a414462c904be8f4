"""Knows the ways in which a job ends badly: the code a runner branches on and the sentence a person reads."""

from __future__ import annotations

import msgspec


class Failure(msgspec.Struct, frozen=True, gc=False):
    """The code and the sentence with which a job ends badly."""

    code: str
    message: str


SIM_FAIL = Failure("SIM_FAIL", "the job failed because its fate said so")
SIM_FLAKY = Failure("SIM_FLAKY", "the job failed this time; mode flaky fails half of all jobs")
TIMEOUT = Failure("TIMEOUT", "the server gave up on the job")
CANCELLED = Failure("CANCELLED", "the client cancelled the job")
