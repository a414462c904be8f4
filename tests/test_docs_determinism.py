"""docs/determinism.md holds: every vector on the page comes out of an implementation made from the page alone.

The first half of this file is that implementation. It has `hashlib` for BLAKE2b and `json` to read, and takes nothing
from dummyllm; the second half compares page, implementation and program.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from dummyllm.core.canonical import canonical, minified
from dummyllm.core.digest import hexadecimal, spelled, term_of
from dummyllm.core.draw import Luck, site_of
from dummyllm.core.fate import Fate
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of, identity_of, packed
from dummyllm.core.job import make_job
from dummyllm.core.mode import Mode, Race, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest

PAGE = (Path(__file__).parent.parent / "docs" / "determinism.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```json (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {name: json.loads(text) for name, text in BLOCK.findall(PAGE)}

Vector = dict[str, Any]


# --- The page, in code -----------------------------------------------------------------------------------------------


class Spelling(str):
    """A number with a fraction or an exponent: it counts as it is spelled."""

    __slots__ = ()


class TooLongError(Exception):
    """An integer of more than 4,300 characters."""


def canonical_by_the_page(text: str) -> str:
    return written(json.loads(text, parse_float=Spelling, parse_int=integer))


def integer(digits: str) -> int:
    if len(digits) > 4300:
        raise TooLongError
    return int(digits)


def written(value: object) -> str:
    match value:
        case dict():
            members = sorted(value.items(), key=lambda member: member[0].encode())
            return "{" + ",".join(f"{quoted(name)}:{written(inner)}" for name, inner in members) + "}"
        case list():
            return "[" + ",".join(map(written, value)) + "]"
        case Spelling():
            return str(value)
        case str():
            return quoted(value)
        case True | False | None:
            return {True: "true", False: "false", None: "null"}[value]
        case _:
            return str(value)


def quoted(text: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def without_white_space(text: str) -> str:
    return re.sub(r'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', lambda match: match[1] or "", text, flags=re.DOTALL)


def packed_by_the_page(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def message_of(*parts: bytes) -> bytes:
    return b"".join(map(packed_by_the_page, parts))


def digest_128(message: bytes) -> bytes:
    return blake2b(message, person=b"dummyllm-1", digest_size=16).digest()


def fingerprint_message(op: str, args: str) -> bytes:
    try:
        return message_of(b"payload", op.encode(), canonical_by_the_page(args).encode())
    except TooLongError:
        return message_of(b"payload-raw", op.encode(), without_white_space(args).encode())


def identity_message(kind: str, op: str, args: str, trace_id: str | None) -> bytes:
    if kind == "trace_id" and trace_id is not None:
        return message_of(b"trace_id", op.encode(), trace_id.encode())
    if kind == "prompt":
        members = [member_of(args, name) for name in ("model", "messages")]
        try:
            return message_of(b"prompt", op.encode(), *(canonical_by_the_page(member).encode() for member in members))
        except TooLongError:
            return message_of(b"prompt-raw", op.encode(), *(member.encode() for member in members))
    return fingerprint_message(op, args)


def member_of(args: str, name: str) -> str:
    """Return the last member called *name* of *args*, as written there but for white space; `null` if there is none."""
    text, decoder, found = without_white_space(args), json.JSONDecoder(parse_int=str), "null"
    at = 1
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        _, end = decoder.raw_decode(text, at + 1)
        if key == name:
            found = text[at + 1 : end]
        at = end + (text[end] == ",")
    return found


def keyed(seed: int | str, message: bytes, size: int) -> bytes:
    return blake2b(message, key=str(seed).encode(), person=b"dummyllm-1", digest_size=size).digest()


def draw(seed: int | str, identity: str, counter: int, site: str) -> int:
    message = message_of(bytes.fromhex(identity), counter.to_bytes(8, "big"), site.encode())
    return int.from_bytes(keyed(seed, message, 8), "big")


def u_of(number: int) -> float:
    return ((number >> 12) + 0.5) / 2**52


def race(name: str, weights: dict[str, int], seed: int, identity: str, counter: int) -> dict[str, float]:
    """Return the time of every option that runs, in the order in which they stand in *weights*."""
    if not any(weights.values()):
        weights = {"ok": 1}
    lanes = lanes_of(seed, identity, counter, name)
    return {
        option: -math.log(u_of(lanes[LANES[name].index(option)])) / weight
        for option, weight in weights.items()
        if weight > 0
    }


LANES = {"mode": ("ok", "echo", "slow", "fail", "hang", "timeout", "flaky"), "flaky": ("fail", "hang", "ok")}


def lanes_of(seed: int | str, identity: str, counter: int, site: str) -> list[int]:
    message = message_of(bytes.fromhex(identity), counter.to_bytes(8, "big"), site.encode())
    digest = keyed(seed, message, 64)
    return [int.from_bytes(digest[at : at + 8], "big") for at in range(0, 64, 8)]


def home_first(times: dict[str, float]) -> str:
    return min(times, key=lambda option: times[option])


def id_of(seed: int, identity: str, ordinal: int) -> str:
    return "job_" + keyed(seed, message_of(bytes.fromhex(identity), ordinal.to_bytes(8, "big")), 12).hex()


def spelled_by_the_page(mode: str, base: int, timeout_ms: int, turn: str | None) -> str:
    endings = {
        "ok": f"{base}:ok -",
        "echo": f"{base}:ok -",
        "slow": f"{6 * base}:ok -",
        "fail": f"{min(200, base)}:fail SIM_FAIL",
        "timeout": f"{min(max(50, base), max(50, timeout_ms))}:timeout TIMEOUT",
        "hang": "-",
        "flaky": {"fail": f"{base}:fail SIM_FLAKY", "hang": "-", "ok": f"{base}:ok -"}.get(turn or ""),
    }
    return f"{mode} 0:queued 0:running {endings[mode]}"


def factor_of(line: str) -> int:
    return int.from_bytes(blake2b(line.encode(), person=b"dummyllm-1", digest_size=8).digest(), "big") | 1


FLAKY_WEIGHTS = {"fail": 50, "hang": 20, "ok": 30}


def story(settings: Vector, request: Vector, ordinal: int) -> Vector:
    """Return everything that follows from *settings*, *request* and *ordinal*."""
    seed = settings["seed"]
    op, args = request["op"], request.get("args", "{}")
    message = identity_message(settings["identity"], op, args, request.get("trace_id"))
    identity = digest_128(message).hex()
    mode, turn = settings["mode"], None
    if mode == "random":
        mode = home_first(race("mode", settings["weights"], seed, identity, ordinal))
    if mode == "flaky":
        turn = home_first(race("flaky", FLAKY_WEIGHTS, seed, identity, ordinal))
    line = spelled_by_the_page(mode, settings["latency_ms"], request.get("timeout_ms", 8000), turn)
    job_id = id_of(seed, identity, ordinal)
    return {
        "fingerprint": digest_128(fingerprint_message(op, args)).hex(),
        "identity": identity,
        "id": job_id,
        "fate": line,
        "term": f"{int(job_id[-16:], 16) * factor_of(line) % 2**64:016x}",
    }


# What each block of the page says of its inputs, recomputed. `NINES` in a payload stands for so many digits 9.


def filled(vector: Vector) -> str:
    args: str = vector.get("args", "{}")
    return args.replace("NINES", "9" * vector.get("nines", 0))


def canonical_vector(vector: Vector) -> Vector:
    return {"canonical": canonical_by_the_page(vector["args"])}


def packed_vector(vector: Vector) -> Vector:
    return {"packed": packed_by_the_page(vector["text"].encode()).hex()}


def fingerprint_vector(vector: Vector) -> Vector:
    message = fingerprint_message(vector["op"], filled(vector))
    found = {"message": message.hex()} if "message" in vector else {}
    return found | {"fingerprint": digest_128(message).hex()}


def identity_vector(vector: Vector) -> Vector:
    message = identity_message(vector["kind"], vector["op"], filled(vector), vector.get("trace_id"))
    tag_length = int.from_bytes(message[:4], "big")
    return {"tag": message[4 : 4 + tag_length].decode(), "identity": digest_128(message).hex()}


def draw_vector(vector: Vector) -> Vector:
    number = draw(vector["seed"], vector["identity"], vector["counter"], vector["site"])
    return {"number": f"{number:016x}", "u": u_of(number)}


def u_vector(vector: Vector) -> Vector:
    return {"u": u_of(int(vector["number"], 16))}


def id_vector(vector: Vector) -> Vector:
    return {"id": id_of(vector["seed"], vector["identity"], vector["ordinal"])}


def lanes_vector(vector: Vector) -> Vector:
    lanes = lanes_of(vector["seed"], vector["identity"], vector["counter"], vector["site"])
    return {**vector, "lanes": [f"{number:016x}" for number in lanes]}


def race_vector(vector: Vector) -> Vector:
    times = race(vector["race"], vector["weights"], vector["seed"], vector["identity"], vector["ordinal"])
    return {"times": times, "winner": home_first(times)}


def fate_vector(vector: Vector) -> Vector:
    line = spelled_by_the_page(vector["mode"], vector["latency_ms"], vector["timeout_ms"], vector.get("turn"))
    return {"fate": line, "factor": f"{factor_of(line):016x}"}


def story_vector(vector: Vector) -> Vector:
    return story(vector["settings"], vector["request"], vector["ordinal"])


RECOMPUTE: dict[str, Callable[[Vector], Vector]] = {
    "canonical": canonical_vector,
    "packed": packed_vector,
    "fingerprint": fingerprint_vector,
    "identity": identity_vector,
    "draw": draw_vector,
    "u": u_vector,
    "id": id_vector,
    "lanes": lanes_vector,
    "race": race_vector,
    "fate": fate_vector,
    "story": story_vector,
}

VECTORS = [pytest.param(name, vector, id=f"{name}-{i}") for name in RECOMPUTE for i, vector in enumerate(BLOCKS[name])]


@pytest.mark.parametrize(("block", "vector"), VECTORS)
def test_every_vector_follows_from_the_page_alone(block: str, vector: Vector) -> None:
    """Someone could implement it in another language."""
    found = RECOMPUTE[block](vector)

    assert found == {name: vector[name] for name in found}


def test_the_page_has_no_block_that_nobody_recomputes() -> None:
    """A test recomputes every vector of the page."""
    assert set(BLOCKS) == {*RECOMPUTE, "digest"}
    assert all(BLOCKS.values())


def test_the_digest_of_the_page_is_the_sum_of_its_stories() -> None:
    """The fates digest is the sum of the terms modulo 2^64, as 16 hex digits."""
    (digest,) = BLOCKS["digest"]
    total = sum(int(story_vector(vector)["term"], 16) for vector in BLOCKS["story"])

    assert digest == {"jobs": len(BLOCKS["story"]), "fates": f"{total % 2**64:016x}"}


# --- The program says the same ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("vector", BLOCKS["canonical"])
def test_the_program_has_the_canonical_forms_of_the_page(vector: Vector) -> None:
    assert canonical(vector["args"].encode()) == vector["canonical"].encode()
    assert without_white_space(vector["args"]).encode() == minified(vector["args"].encode())


@pytest.mark.parametrize("vector", BLOCKS["packed"])
def test_the_program_packs_as_the_page_does(vector: Vector) -> None:
    assert packed(vector["text"].encode()).hex() == vector["packed"]


@pytest.mark.parametrize("vector", BLOCKS["fingerprint"])
def test_the_program_has_the_fingerprints_of_the_page(vector: Vector) -> None:
    request = JobRequest(vector["op"], filled(vector).encode())

    assert fingerprint_of(request).hex() == vector["fingerprint"]


@pytest.mark.parametrize("vector", BLOCKS["identity"])
def test_the_program_has_the_identities_of_the_page(vector: Vector) -> None:
    request = JobRequest(vector["op"], filled(vector).encode(), trace_id=vector.get("trace_id"))

    assert identity_of(IdentityKind(vector["kind"]), request).hex() == vector["identity"]


@pytest.mark.parametrize("vector", BLOCKS["draw"])
def test_the_program_draws_as_the_page_does(vector: Vector) -> None:
    luck = Luck(int(vector["seed"]), Identity(bytes.fromhex(vector["identity"])), vector["counter"])

    assert f"{luck.number(site_of(vector['site'])):016x}" == vector["number"]
    assert luck.at(site_of(vector["site"])) == vector["u"]


@pytest.mark.parametrize("vector", BLOCKS["id"])
def test_the_program_has_the_job_ids_of_the_page(vector: Vector) -> None:
    identity = Identity(bytes.fromhex(vector["identity"]))
    job = make_job(Policy(seed=vector["seed"]), JobRequest("llm.chat"), identity, ordinal=vector["ordinal"], now_ms=0)

    assert job.id == vector["id"]


@pytest.mark.parametrize("vector", [vector for vector in BLOCKS["race"] if vector["race"] == "mode"])
def test_the_program_runs_the_races_of_the_page(vector: Vector) -> None:
    weights = {Mode(name): weight for name, weight in vector["weights"].items()}
    luck = Luck(vector["seed"], Identity(bytes.fromhex(vector["identity"])), vector["ordinal"])
    policy = Policy(mode=Mode.RANDOM, weights=tuple(weights.items()), seed=vector["seed"])

    assert winner(policy.race, luck) is Mode(vector["winner"])
    if any(weights.values()):
        assert winner(Race.of("mode", weights), luck) is Mode(vector["winner"])


@pytest.mark.parametrize("vector", BLOCKS["story"])
def test_the_program_tells_the_stories_of_the_page(vector: Vector) -> None:
    settings, sent = vector["settings"], vector["request"]
    policy = Policy(
        mode=Mode(settings["mode"]),
        weights=tuple((Mode(name), weight) for name, weight in settings["weights"].items()),
        base_latency_ms=settings["latency_ms"],
        seed=settings["seed"],
        identity=IdentityKind(settings["identity"]),
    )
    args = sent.get("args", "{}").encode()
    request = JobRequest(sent["op"], args, sent.get("timeout_ms", 8000), sent.get("trace_id"))
    job = make_job(policy, request, identity_of(policy.identity, request), ordinal=vector["ordinal"], now_ms=0)

    assert (job.id, spelled(job.fate)) == (vector["id"], vector["fate"])
    assert hexadecimal(term_of(job)) == vector["term"]


@pytest.mark.parametrize("vector", [vector for vector in BLOCKS["fate"] if vector["mode"] != "flaky"])
def test_the_program_plans_the_fates_of_the_page(vector: Vector) -> None:
    assert spelled(_fate_of(vector)) == vector["fate"]


def test_the_program_plans_every_flaky_fate_of_the_page() -> None:
    """Which way a flaky job goes is drawn, so ordinals are tried until every way was seen."""
    wanted = {vector["fate"] for vector in BLOCKS["fate"] if vector["mode"] == "flaky"}
    vector = next(vector for vector in BLOCKS["fate"] if vector["mode"] == "flaky")

    assert {spelled(_fate_of(vector, ordinal)) for ordinal in range(40)} == wanted


def _fate_of(vector: Vector, ordinal: int = 0) -> Fate:
    policy = Policy(mode=Mode(vector["mode"]), base_latency_ms=vector["latency_ms"])
    request = JobRequest("llm.chat", timeout_ms=vector["timeout_ms"])
    return make_job(policy, request, Identity(bytes(16)), ordinal=ordinal, now_ms=0).fate
