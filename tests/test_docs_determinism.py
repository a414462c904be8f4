"""docs/determinism.md holds: every vector on the page comes out of an implementation made from the page alone.

The first half of this file is that implementation. It has `hashlib` for BLAKE2b and `json` to read, and takes nothing
from dummyllm; the second half compares page, implementation and program.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from dummyllm.core.canonical import canonical, minified
from dummyllm.core.digest import Traffic, hexadecimal, spelled, term_of
from dummyllm.core.draw import Luck, site_of
from dummyllm.core.fate import Fate
from dummyllm.core.faults.drawn import Odds, fired, fired_at_read, odds_of, swarm
from dummyllm.core.faults.kind import Unit
from dummyllm.core.faults.registry import KINDS
from dummyllm.core.fingerprint import IdentityKind, fingerprint_of, identity_of, packed
from dummyllm.core.job import make_job
from dummyllm.core.latency import latency_ms, parse_shape
from dummyllm.core.mode import Mode, Race, winner
from dummyllm.core.policy import Policy
from dummyllm.core.request import Identity, JobRequest
from dummyllm.core.submit import Bent, decide, job_of
from tests.core.chaos import fault

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


def latency_of(latency_ms: int, shape: str, u: float) -> int:
    name, _, rest = shape.rstrip(")").partition("(")
    numbers = [float(part.removeprefix("p99=")) for part in rest.split(",")] if rest else []
    if name == "uniform":
        low, high = numbers
        factor = low + (high - low) * u
    elif name == "lognormal":
        factor = numbers[0] ** (normal_quantile(u) / normal_quantile(0.99))
    else:
        factor = 1.0
    return min(math.floor(latency_ms * factor + 0.5), 604_800_000)


def normal_quantile(u: float) -> float:
    """Return the z for which the standard normal distribution function is *u*, found by halving."""
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        if math.erfc(-middle / math.sqrt(2)) / 2 < u:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# The arguments of the faults in the vectors, in the order of docs/faults.md; `code` goes without its name.
ARGUMENTS = ("code", "retry_after", "body", "after_ms", "factor", "percent", "name", "reads", "ms")


def spelled_fault(text: str) -> str:
    name, _, rest = text.replace(" ", "").rstrip(")").partition("(")
    pairs = [part.partition("=") for part in rest.split(",")] if rest else []
    given = {(key if equals else "code"): number(value if equals else key) for key, equals, value in pairs}
    shown = [given[each] if each == "code" else f"{each}={given[each]}" for each in ARGUMENTS if each in given]
    return f"{name}({','.join(shown)})" if shown else name


def number(text: str) -> str:
    if not text[:1].isdigit():
        return text
    whole, dot, decimals = text.partition(".")
    return str(int(whole)) + (f".{decimals.rstrip('0') or '0'}" if dot else "")


def site_of_fault(text: str) -> str:
    name, _, rest = spelled_fault(text).rstrip(")").partition("(")
    first = rest.split(",")[0]
    return f"{name}({first})" if first and "=" not in first else name


def fires(number: int, millionths: int) -> bool:
    return number * 1_000_000 < millionths * 2**64


EXCLUDING = [
    (unit, names.split(", "))
    for unit, names in re.findall(r"^\| `(\w+)` \| (\w+\.\w+, [\w., ]+) \|$", PAGE, re.MULTILINE)
]


def served(settings: Vector, unit: str, identity: str, counter: int, suffix: str = "") -> list[str]:
    """Return the faults of *unit* that are drawn and served, in the order of the page's table."""
    found = []
    for of_unit, names in EXCLUDING:
        if of_unit != unit:
            continue
        for name in names:
            drawn = [fault for fault in settings["faults"] if spelled_fault(fault["fault"]).partition("(")[0] == name]
            fired = [
                spelled_fault(fault["fault"])
                for fault in drawn
                if fires(
                    draw(settings["seed"], identity, counter, site_of_fault(fault["fault"]) + suffix),
                    fault["millionths"],
                )
            ]
            if fired:
                found.append(fired[0])
                break
    return found


def with_faults(line: str, faults: list[str], timeout_ms: int) -> str:
    """Return the fate *line* as it is with *faults*, which are not those of its reads."""
    for one in faults:
        name, _, arguments = one.rstrip(")").partition("(")
        mode = line.partition(" ")[0]
        if name == "run.late":
            factor = Fraction(arguments.removeprefix("factor=") or "1.05")
            line = f"{mode} 0:queued 0:running {math.floor(factor * timeout_ms)}:ok -"
        if name == "run.stuck_queued":
            line = f"{mode} 0:queued -"
    return line + "".join(f" +{one}" for one in faults)


def befallen(settings: Vector, request: Vector, hit: int, ordinal: int, reads: int) -> Vector:
    """Return what befalls the submit of *request*, and if that leaves a job, its fate, its term, and its reads."""
    plain = story({**settings, "latency_ms": 0}, request, ordinal)
    identity = plain["identity"]
    u = u_of(draw(settings["seed"], identity, ordinal, "latency"))
    latency_ms = latency_of(settings["latency_ms"], settings["shape"], u)
    plain = story({**settings, "latency_ms": latency_ms}, request, ordinal)
    submit = next(iter(served(settings, "submit", identity, hit)), None)
    if submit is not None and submit.startswith(("submit.status", "submit.reset")):
        return {"submit": submit}
    line = with_faults(plain["fate"], served(settings, "job", identity, ordinal), request.get("timeout_ms", 8000))
    return {
        "submit": submit,
        "fate": line,
        "term": f"{int(plain['id'][-16:], 16) * factor_of(line) % 2**64:016x}",
        "reads": [next(iter(served(settings, "poll", identity, ordinal, f"#{n}")), None) for n in range(reads)],
    }


def traffic_message(what: str, identity: str, counters: list[int], fault: str) -> bytes:
    places = [counter.to_bytes(8, "big") for counter in counters]
    return message_of(what.encode(), bytes.fromhex(identity), *places, fault.encode())


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


def latency_vector(vector: Vector) -> Vector:
    return {"ms": latency_of(vector["latency_ms"], vector["shape"], vector["u"])}


def site_vector(vector: Vector) -> Vector:
    return {"spelled": spelled_fault(vector["fault"]), "site": site_of_fault(vector["fault"])}


def fires_vector(vector: Vector) -> Vector:
    site = site_of_fault(vector["fault"]) + (f"#{vector['read']}" if "read" in vector else "")
    drawn = draw(vector["seed"], vector["identity"], vector["counter"], site)
    return {"site": site, "number": f"{drawn:016x}", "fires": fires(drawn, vector["millionths"])}


def share_vector(vector: Vector) -> Vector:
    return {"fires": fires(int(vector["number"], 16), vector["millionths"])}


def swarm_vector(vector: Vector) -> Vector:
    sites = {fault: f"swarm:{site_of_fault(fault)}" for fault in vector["faults"]}
    return {"in": [fault for fault, site in sites.items() if draw(vector["seed"], "00" * 16, 0, site) < 2**63]}


def chaos_settings_vector(vector: Vector) -> Vector:
    faults = [{**fault, "fault": spelled_fault(fault["fault"])} for fault in vector["settings"]["faults"]]
    return {"settings": {**vector["settings"], "faults": faults}}


def chaos_vector(vector: Vector) -> Vector:
    chosen = BLOCKS["chaos_settings"][vector["of"]]
    reads = len(vector.get("reads", ()))
    return {**vector, **befallen(chosen["settings"], chosen["request"], vector["hit"], vector["ordinal"], reads)}


def traffic_vector(vector: Vector) -> Vector:
    message = traffic_message(vector["what"], vector["identity"], vector["counters"], vector["fault"])
    found = {"message": message.hex()} if "message" in vector else {}
    digest = blake2b(message, person=b"dummyllm-1", digest_size=8)
    return found | {"term": digest.hexdigest()}


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
    "latency": latency_vector,
    "fate": fate_vector,
    "site": site_vector,
    "fires": fires_vector,
    "share": share_vector,
    "chaos_settings": chaos_settings_vector,
    "chaos": chaos_vector,
    "swarm": swarm_vector,
    "traffic": traffic_vector,
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
    assert set(BLOCKS) == {*RECOMPUTE, "digest", "traffic_digest"}
    assert len(BLOCKS) == len(BLOCK.findall(PAGE)), "two blocks have one name"
    assert all(BLOCKS.values())


def test_the_digest_of_the_page_is_the_sum_of_its_stories() -> None:
    """The fates digest is the sum of the terms modulo 2^64, as 16 hex digits."""
    (digest,) = BLOCKS["digest"]
    total = sum(int(story_vector(vector)["term"], 16) for vector in BLOCKS["story"])

    assert digest == {"jobs": len(BLOCKS["story"]), "fates": f"{total % 2**64:016x}"}


def test_the_traffic_digest_of_the_page_is_the_sum_of_its_terms() -> None:
    """The sum modulo 2^64 of one term for each fault that befell, as 16 hex digits."""
    (digest,) = BLOCKS["traffic_digest"]
    total = sum(int(traffic_vector(vector)["term"], 16) for vector in BLOCKS["traffic"])

    assert digest == {"faults": len(BLOCKS["traffic"]), "traffic": f"{total % 2**64:016x}"}


def test_the_chaos_of_the_page_shows_all_that_it_tells_of() -> None:
    """A submit that leaves no job, one whose answer suffers, both that change a timeline, and some of reads."""
    told = json.dumps(BLOCKS["chaos"])

    assert all(word in told for word in ("submit.status", "submit.lost_ack", "+run.late", "+run.stuck", "+run.vanish"))
    assert all(word in told for word in ('"poll.status(503)"', '"poll.slow(ms=50)"', "null"))
    assert {"fate" in vector for vector in BLOCKS["chaos"]} == {True, False}


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


@pytest.mark.parametrize("vector", BLOCKS["latency"])
def test_the_program_has_the_latencies_of_the_page(vector: Vector) -> None:
    assert latency_ms(vector["latency_ms"], parse_shape(vector["shape"]), vector["u"]) == vector["ms"]


@pytest.mark.parametrize("vector", BLOCKS["site"])
def test_the_program_spells_faults_as_the_page_does(vector: Vector) -> None:
    one = fault(vector["fault"])

    assert (one.text, one.site) == (vector["spelled"], vector["site"])


@pytest.mark.parametrize("vector", BLOCKS["fires"])
def test_the_program_draws_faults_as_the_page_does(vector: Vector) -> None:
    luck = Luck(vector["seed"], Identity(bytes.fromhex(vector["identity"])), vector["counter"])
    odds = (Odds.of(fault(vector["fault"]), vector["millionths"]),)
    fired_ = fired_at_read(odds, luck, vector["read"]) if "read" in vector else fired(odds, luck)

    assert bool(fired_) is vector["fires"]
    assert f"{luck.number(site_of(vector['site'])):016x}" == vector["number"]


@pytest.mark.parametrize("vector", BLOCKS["share"])
def test_the_program_compares_as_the_page_does(vector: Vector) -> None:
    odds = Odds.of(fault("run.late"), vector["millionths"])

    assert odds.fires(int(vector["number"], 16)) is vector["fires"]
    assert (bytes.fromhex(vector["number"]) < odds.below) is vector["fires"]


@pytest.mark.parametrize("vector", BLOCKS["swarm"])
def test_the_program_has_the_swarms_of_the_page(vector: Vector) -> None:
    faults = tuple((fault(text), 1) for text in vector["faults"])

    assert [one.text for one, _ in swarm(faults, vector["seed"])] == vector["in"]


@pytest.mark.parametrize("vector", BLOCKS["chaos"])
def test_the_program_has_the_chaos_of_the_page(vector: Vector) -> None:
    settings, sent = (BLOCKS["chaos_settings"][vector["of"]][name] for name in ("settings", "request"))
    faults = tuple((fault(one["fault"]), one["millionths"]) for one in settings["faults"])
    policy = Policy(
        mode=Mode(settings["mode"]),
        weights=tuple((Mode(name), weight) for name, weight in settings["weights"].items()),
        base_latency_ms=settings["latency_ms"],
        shape=parse_shape(settings["shape"]),
        seed=settings["seed"],
        identity=IdentityKind(settings["identity"]),
        submit_odds=odds_of(faults, Unit.SUBMIT),
        job_odds=odds_of(faults, Unit.JOB),
        poll_odds=odds_of(faults, Unit.POLL),
    )
    request = JobRequest(
        sent["op"], sent.get("args", "{}").encode(), sent.get("timeout_ms", 8000), sent.get("trace_id")
    )
    identity = identity_of(policy.identity, request)
    outcome = decide(policy, request, identity, 0, vector["hit"], vector["ordinal"], 0)
    job = job_of(outcome)

    assert (outcome.fault.text if isinstance(outcome, Bent) and outcome.fault else None) == vector["submit"]
    assert (job is None) == ("fate" not in vector)
    if job is not None:
        luck = Luck(policy.seed, identity, job.ordinal)
        reads = [fired_at_read(policy.poll_odds, luck, n)[:1] for n in range(len(vector["reads"]))]
        assert (spelled(job.fate), hexadecimal(term_of(job))) == (vector["fate"], vector["term"])
        assert [faults[0].text if faults else None for faults in reads] == vector["reads"]


def test_the_program_has_the_table_of_exclusion_that_the_page_has() -> None:
    """Faults that stand in one row exclude each other, and stand in the order in which one goes before another."""
    rows: dict[str, tuple[str, list[str]]] = {}
    for name, kind in KINDS.items():
        rows.setdefault(kind.excludes, (kind.unit.value, []))[1].append(name)

    assert [*rows.values()] == EXCLUDING
    assert [name for _, names in EXCLUDING for name in names] == [*KINDS]


@pytest.mark.parametrize("vector", BLOCKS["traffic"])
def test_the_program_has_the_traffic_of_the_page(vector: Vector) -> None:
    traffic = Traffic()
    traffic.add(vector["what"], Identity(bytes.fromhex(vector["identity"])), vector["counters"], vector["fault"])

    assert traffic.digest == vector["term"]


def test_the_program_plans_every_flaky_fate_of_the_page() -> None:
    """Which way a flaky job goes is drawn, so ordinals are tried until every way was seen."""
    wanted = {vector["fate"] for vector in BLOCKS["fate"] if vector["mode"] == "flaky"}
    vector = next(vector for vector in BLOCKS["fate"] if vector["mode"] == "flaky")

    assert {spelled(_fate_of(vector, ordinal)) for ordinal in range(40)} == wanted


def _fate_of(vector: Vector, ordinal: int = 0) -> Fate:
    policy = Policy(mode=Mode(vector["mode"]), base_latency_ms=vector["latency_ms"])
    request = JobRequest("llm.chat", timeout_ms=vector["timeout_ms"])
    return make_job(policy, request, Identity(bytes(16)), ordinal=ordinal, now_ms=0).fate
