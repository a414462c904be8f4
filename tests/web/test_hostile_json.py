"""JSON that is nearly JSON, or more of it than anyone needs; and JSON that must come back as it was sent."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.assembly import app_of
from dummyllm.settings import load
from tests.web.direct import direct
from tests.web.stack import Answer, Line, Served, ask, request

SETTINGS = {"MODE": "echo", "LATENCY_MS": "0", "MAX_BODY_BYTES": "32MiB"}
PROMPT_S = 0.2


def inside(value: bytes) -> bytes:
    """Return a payload with *value* deep in its messages."""
    return b'{"op":"llm.chat","args":{"messages":[{"content":' + value + b"}]}}"


def post(server: Served, body: bytes) -> Answer:
    answer = ask(server.port, "POST", "/v1/jobs", body)
    assert answer.status in (201, 400, 422), answer
    return answer


def lexically_minified(text: bytes) -> bytes:
    """Return the JSON *text* without the white space outside its strings: the test's own idea of it."""
    kept = bytearray()
    in_string = is_escaped = False
    for byte in text:
        if not in_string and byte in b" \t\r\n":
            continue
        kept.append(byte)
        if in_string:
            in_string = is_escaped or byte != 0x22
            is_escaped = not is_escaped and byte == 0x5C
        else:
            in_string = byte == 0x22
    return bytes(kept)


# ---- what must be refused

NOT_JSON = {
    "nothing": b"",
    "blanks": b" \n",
    "a NaN": inside(b"NaN"),
    "an Infinity": inside(b"Infinity"),
    "a minus Infinity": inside(b"-Infinity"),
    "a leading zero": inside(b"01"),
    "a plus": inside(b"+1"),
    "a bare minus": inside(b"-"),
    "a bare point": inside(b".5"),
    "a trailing point": inside(b"1."),
    "a bare exponent": inside(b"1e"),
    "hexadecimal": inside(b"0x10"),
    "a misspelt true": inside(b"True"),
    "a trailing comma in a list": inside(b"[1,]"),
    "a trailing comma in an object": inside(b'{"a":1,}'),
    "two colons": inside(b'{"a"::1}'),
    "a number for a name": inside(b"{1:1}"),
    "single quotes": inside(b"'a'"),
    "a comment": inside(b"/* x */ 1"),
    "crossed brackets": inside(b"[}"),
    "an open string": inside(b'"abc'),
    "an unknown escape": inside(rb'"\q"'),
    "a short escape": inside(rb'"\u12"'),
    "an escape that is not hexadecimal": inside(rb'"\u12g4"'),
    "a control character": inside(b'"\x01"'),
    "a raw tab": inside(b'"\t"'),
    "a raw line end": inside(b'"\n"'),
    "a raw NUL in a string": inside(b'"\x00"'),
    "a NUL between values": inside(b"\x001"),
    "a vertical tab between values": inside(b"\x0b1"),
    "a no-break space between values": inside(b"\xc2\xa01"),
    "bytes behind the end": inside(b"1") + b"x",
    "a second value": inside(b"1") + b"{}",
    "a NUL behind the end": inside(b"1") + b"\x00",
    "a byte order mark": b"\xef\xbb\xbf" + inside(b"1"),
    "UTF-16 with a mark": inside(b"1").decode().encode("utf-16"),
    "UTF-16LE": inside(b"1").decode().encode("utf-16-le"),
    "UTF-16BE": inside(b"1").decode().encode("utf-16-be"),
    "UTF-32": inside(b"1").decode().encode("utf-32"),
    "a form": b"op=llm.chat&args=",
    "XML": b"<?xml version='1.0'?><op/>",
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused(one_server: Served, name: str) -> None:
    """400 `BAD_JSON`: not UTF-8, or not JSON, wherever in the body it stands."""
    answer = post(one_server, NOT_JSON[name])

    assert (answer.status, answer.code) == (400, "BAD_JSON")
    assert len(answer.message) < 200


POSITIONS: dict[str, Callable[[bytes], bytes]] = {
    "op": lambda text: b'{"op":"' + text + b'"}',
    "args": lambda text: b'{"op":"x","args":{"a":"' + text + b'"}}',
    "messages": lambda text: b'{"op":"x","args":{"messages":[{"role":"user","content":"' + text + b'"}]}}',
    "a name in args": lambda text: b'{"op":"x","args":{"' + text + b'":1}}',
    "trace_id": lambda text: b'{"op":"x","trace_id":"' + text + b'"}',
    "a member's name": lambda text: b'{"op":"x","' + text + b'":1}',
    "behind the end": lambda text: b'{"op":"x"}"' + text + b'"',
}
NO_TEXT = {
    "a lone high surrogate": rb"\ud800",
    "a high surrogate before a letter": rb"\ud800x",
    "a high surrogate before an escape": rb"\ud800\n",
    "two high surrogates": rb"\ud83d\ud83d",
    "a lone low surrogate": rb"\udc00",
    "a pair the wrong way round": rb"\ude00\ud83d",
    "a stray byte": b"\xff",
    "half a character": b"\xc3",
    "an overlong character": b"\xc0\x80",
    "a surrogate in UTF-8": b"\xed\xa0\x80",
    "a character beyond the last": b"\xf4\x90\x80\x80",
}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("text", NO_TEXT)
@pytest.mark.parametrize("unknown", ["refuse", "ignore"])
def test_what_is_no_text_is_refused_in_every_position(position: str, text: str, unknown: str) -> None:
    """400 `BAD_JSON` for a lone surrogate and for what is not UTF-8: a reply must be able to repeat it."""
    app = app_of(load({"DUMMYLLM_UNKNOWN": unknown}))

    answer = direct(app, "POST", "/v1/jobs", POSITIONS[position](NO_TEXT[text]))

    assert (answer.status, answer.code) == (400, "BAD_JSON")


@pytest.mark.parametrize("depth", [1_000, 100_000, 1_000_000])
@pytest.mark.parametrize("shape", ["lists", "objects", "open lists", "open objects", "closing brackets"])
def test_a_body_nested_too_deep_is_refused_at_once(one_server: Served, depth: int, shape: str) -> None:
    """400 `BAD_JSON` beyond 64 levels, however far beyond."""
    bodies = {
        "lists": inside(b"[" * depth + b"]" * depth),
        "objects": inside(b'{"a":' * depth + b"1" + b"}" * depth),
        "open lists": b"[" * depth,
        "open objects": b'{"a":' * depth,
        "closing brackets": b"]" * depth,
    }

    answer, took_s = timed(one_server, bodies[shape])

    assert (answer.status, answer.code) == (400, "BAD_JSON")
    assert took_s <= PROMPT_S + reading_s(bodies[shape])


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_64_levels_are_taken_and_65_are_not(one_server: Served, opening: bytes, closing: bytes) -> None:
    """Both sides of the edge, the outermost object and `args` among the levels; brackets in strings are none."""
    for levels, status in ((64, 201), (65, 400)):
        within = levels - 2
        body = b'{"op":"x","args":{"a":' + opening * within + b'"[[[{{{\\"[[["' + closing * within + b"}}"
        assert post(one_server, body).status == status


@pytest.mark.parametrize("lead", [b"[" * 65, b'{"op":' + b"[" * 70])
@pytest.mark.parametrize("filling", [rb"\"", rb"\\\"", rb'","\"', b'"', rb"\u0022", b'["'])
def test_strings_that_never_end_take_no_time(one_server: Served, lead: bytes, filling: bytes) -> None:
    """A search for the end of a string is made once, not once for every quote in it."""
    body = lead + b'"' + filling * 200_000

    answer, took_s = timed(one_server, body)

    assert (answer.status, answer.code) == (400, "BAD_JSON")
    assert took_s <= PROMPT_S + reading_s(b'"' * len(body))


# ---- what must be taken, and soon

HUGE = {
    "a million elements": lambda: inside(b"[" + b",".join([b"1"] * 1_000_000) + b"]"),
    "a million members": lambda: inside(b"{" + b",".join(b'"%d":1' % n for n in range(1_000_000)) + b"}"),
    "a million lists": lambda: inside(b"[" + b",".join([b"[]"] * 1_000_000) + b"]"),
    "a million brackets in strings": lambda: inside(b"[" + b",".join([b'"["'] * 1_000_000) + b"]"),
    "a million floats": lambda: inside(b"[" + b",".join([b"1.5"] * 1_000_000) + b"]"),
    "ten megabytes of text": lambda: inside(b'"' + b"a" * 10_000_000 + b'"'),
    "ten megabytes of escapes": lambda: inside(b'"' + rb"\n\"" * 2_500_000 + b'"'),
    "ten megabytes of blanks": lambda: inside(b" " * 10_000_000 + b"1"),
    "ten megabytes of digits": lambda: inside(b"9" * 10_000_000),
    "a million duplicates": lambda: inside(b"{" + b",".join([b'"a":1'] * 1_000_000) + b"}"),
}


def timed(server: Served, body: bytes) -> tuple[Answer, float]:
    """Return the answer to *body* and the seconds of work it cost the server: other work on the machine counts not."""
    before_s = server.cpu_s()
    answer = ask(server.port, "POST", "/v1/jobs", body)
    return answer, server.cpu_s() - before_s


def reading_s(body: bytes) -> float:
    """Return three times the work that finding the way through *body* costs with Python's own C code."""
    start_s = time.process_time()
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        re.findall(rb"[\[\]{}\"]", body)
    return 3 * (time.process_time() - start_s)


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_payload_costs_no_more_than_reading_it(one_server: Served, name: str) -> None:
    """Accepted as documented, in 200 ms or in three times what it takes to read as JSON at all; and read back whole."""
    body = HUGE[name]()

    answer, took_s = timed(one_server, body)
    allowed_s = PROMPT_S + reading_s(body)

    assert answer.status == 201
    assert took_s <= allowed_s
    before_s = one_server.cpu_s()
    seen = ask(one_server.port, "GET", f"/v1/jobs/{answer.json['id']}")
    assert seen.json["state"] == "ok"
    assert one_server.cpu_s() - before_s <= allowed_s


# ---- what must come back as it was sent

AS_SENT = {
    "an exponent": b"1e2",
    "a capital exponent": b"1E+2",
    "a fraction of nothing": b"1.0",
    "minus zero": b"-0",
    "minus zero with a fraction": b"-0.0",
    "2^64": b"18446744073709551616",
    "2^63": b"-9223372036854775809",
    "400 digits": b"7" * 400,
    "5,000 digits": b"7" * 5_000,
    "a number beyond any float": b"1e400",
    "a number below any float": b"1e-400",
    "5,000 decimals": b"0." + b"3" * 5_000,
    "duplicate members": b'{"a":1,"a":2,"b":0,"a":1}',
    "an empty name": b'{"":{"":""}}',
    "an escape beside the letter": '["\\u00e9","é"]'.encode(),
    "escapes nobody needs": rb'"\/\u0041\u000a\n\b\f\r\t\"\\"',
    "capital and small escapes": rb'"\u00E9\u00e9"',
    "a NUL": rb'"\u0000"',
    "U+2028 and U+2029": '"\u2028\u2029"'.encode(),
    "U+2028 as an escape": rb'"\u2028"',
    "a delete character": b'"\x7f"',
    "astral characters": '"😀𝒳"'.encode(),
    "astral characters as escapes": rb'"\ud83d\ude00"',
    "a noncharacter": '"\uffff"'.encode(),
    "a mark inside": '"\ufeff"'.encode(),
    "combining characters": '["é","e\u0301"]'.encode(),
    "blanks in strings": b'"  a \\t b  "',
    "brackets in strings": rb'"[[{\"}}]"',
    "60 levels": b"[" * 30 + b'{"a":' * 30 + b"1" + b"}" * 30 + b"]" * 30,
    "prototype names": b'{"__proto__":{"x":1},"constructor":null}',
    "white space everywhere": b' { "a" : [ 1 , 2 ,\r\n\t{ } , [ ] ] , "b c" : " d " } ',
}


@pytest.mark.parametrize("name", AS_SENT)
def test_a_payload_comes_back_as_it_was_sent(server: Served, name: str) -> None:
    """`/request` returns `args`, and `echo` returns `args.messages`, verbatim but for insignificant white space."""
    messages = b'[{"role": "user", "content":' + AS_SENT[name] + b"} ]"
    args = b'{"model" : "m",\n"messages":' + messages + b', "z":' + AS_SENT[name] + b"}"

    posted = post(server, b'{"args":' + args + b' ,"op":"llm.chat"}')

    assert_came_back(ask(server.port, "GET", f"/v1/jobs/{posted.json['id']}/request"), args)
    assert echoed(ask(server.port, "GET", f"/v1/jobs/{posted.json['id']}")) == lexically_minified(messages)


def assert_came_back(answer: Answer, args: bytes) -> None:
    assert answer.status == 200
    assert bytes(msgspec.json.decode(answer.body, type=_Inspected).args) == lexically_minified(args)


def echoed(answer: Answer) -> bytes:
    return answer.json["result"]["text"].encode()


class _Inspected(msgspec.Struct):
    args: msgspec.Raw


BLANKS = st.text(" \t\r\n", max_size=2).map(str.encode)
NUMBERS = st.from_regex(rb"\A-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?\Z")
CHARACTERS = st.one_of(
    st.characters(exclude_categories=["Cs"], exclude_characters='"\\', min_codepoint=32).map(str.encode),
    st.sampled_from([rb"\"", rb"\\", rb"\/", rb"\b", rb"\f", rb"\n", rb"\r", rb"\t", rb"\u00e9", rb"\uD83D\uDE00"]),
)
STRINGS = st.lists(CHARACTERS, max_size=6).map(lambda parts: b'"' + b"".join(parts) + b'"')


def spaced(draw: Callable[..., bytes], pieces: list[bytes], ends: tuple[bytes, bytes]) -> bytes:
    return ends[0] + draw(BLANKS) + (draw(BLANKS) + b"," + draw(BLANKS)).join(pieces) + draw(BLANKS) + ends[1]


@st.composite
def json_texts(draw: Callable[..., object], depth: int = 3) -> bytes:
    """Return a JSON text: any spelling of any value, with white space wherever it may stand."""
    kind = draw(st.sampled_from(["atom", "list", "object"] if depth else ["atom"]))
    if kind == "atom":
        return draw(st.one_of(NUMBERS, STRINGS, st.sampled_from([b"true", b"false", b"null"])))
    values = draw(st.lists(json_texts(depth=depth - 1), max_size=3))
    if kind == "list":
        return spaced(draw, values, (b"[", b"]"))
    names = [draw(STRINGS) + draw(BLANKS) + b":" + draw(BLANKS) for _ in values]
    return spaced(draw, [name + value for name, value in zip(names, values, strict=True)], (b"{", b"}"))


ECHO = app_of(load({f"DUMMYLLM_{name}": value for name, value in SETTINGS.items()}))


@settings(max_examples=150, deadline=None)
@given(messages=json_texts(), other=json_texts(), blanks=st.tuples(BLANKS, BLANKS, BLANKS))
def test_any_json_comes_back_as_it_was_sent(messages: bytes, other: bytes, blanks: tuple[bytes, ...]) -> None:
    """For every JSON text: white space outside strings is all that is lost, and nothing is added."""
    args = blanks[0].join([b"{", b'"messages":', messages, b',"other"', b":", other, b"}"])
    body = blanks[1].join([b'{"op":"llm.chat",', b'"args":', args, b"}"]) + blanks[2]

    posted = direct(ECHO, "POST", "/v1/jobs", body, JSON_HEADERS)

    assert posted.status == 201, posted.body
    assert_came_back(direct(ECHO, "GET", f"/v1/jobs/{posted.json['id']}/request"), args)
    assert echoed(direct(ECHO, "GET", f"/v1/jobs/{posted.json['id']}")) == lexically_minified(messages)


JSON_HEADERS = ((b"host", b"localhost"), (b"content-type", b"application/json"))


# ---- what is JSON and still no payload

MISFITS = {
    "a list": (b"[]", "`$`", "Expected `object`, got `array`"),
    "a string": (b'"op"', "`$`", "Expected `object`, got `str`"),
    "null": (b"null", "`$`", "Expected `object`, got `null`"),
    "no op": (b'{"args":{}}', "`op`", "missing required field"),
    "a null op": (b'{"op":null}', "`$.op`", "Expected `str`"),
    "a number op": (b'{"op":1}', "`$.op`", "Expected `str`"),
    "an op too long": (b'{"op":"' + b"a" * 257 + b'"}', "`$.op`", "<= 256"),
    "args as a list": (b'{"op":"x","args":[]}', "`$.args`", "got `array`"),
    "args as a string": (b'{"op":"x","args":"{}"}', "`$.args`", "got `str`"),
    "args as null": (b'{"op":"x","args":null}', "`$.args`", "got `null`"),
    "args as a number": (b'{"op":"x","args":-1}', "`$.args`", "got `number`"),
    "args as true": (b'{"op":"x","args":true}', "`$.args`", "got `bool`"),
    "a negative timeout": (b'{"op":"x","timeout_ms":-1}', "`$.timeout_ms`", ">= 0"),
    "a timeout above a day": (b'{"op":"x","timeout_ms":86400001}', "`$.timeout_ms`", "<= 86400000"),
    "a timeout with a fraction": (b'{"op":"x","timeout_ms":1.5}', "`$.timeout_ms`", "Expected `int`"),
    "a timeout with an exponent": (b'{"op":"x","timeout_ms":1e400}', "`$.timeout_ms`", "out of range"),
    "a timeout of 2^64": (b'{"op":"x","timeout_ms":18446744073709551616}', "`$.timeout_ms`", "<= 86400000"),
    "a timeout of 5,000 digits": (b'{"op":"x","timeout_ms":' + b"9" * 5000 + b"}", "`$.timeout_ms`", "out of range"),
    "a timeout as a string": (b'{"op":"x","timeout_ms":"8000"}', "`$.timeout_ms`", "got `str`"),
    "a timeout as true": (b'{"op":"x","timeout_ms":true}', "`$.timeout_ms`", "got `bool`"),
    "a null timeout": (b'{"op":"x","timeout_ms":null}', "`$.timeout_ms`", "got `null`"),
    "a trace_id too long": (b'{"op":"x","trace_id":"' + b"a" * 257 + b'"}', "`$.trace_id`", "<= 256"),
    "a trace_id as a number": (b'{"op":"x","trace_id":1}', "`$.trace_id`", "Expected `str | null`"),
    "a flag of ours": (b'{"op":"x","simulate":"fail"}', "`simulate`", "set on the server"),
    "a member with capitals": (b'{"op":"x","Args":{}}', "`Args`", "op, args, timeout_ms, trace_id"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_json_that_does_not_fit_names_the_path_and_what_is_allowed(one_server: Served, name: str) -> None:
    """422 `INVALID_REQUEST`: path of the mistake and what is allowed."""
    body, path, allowed = MISFITS[name]

    answer = post(one_server, body)

    assert (answer.status, answer.code) == (422, "INVALID_REQUEST")
    assert path.strip("`$") in answer.message
    assert allowed in answer.message
    assert len(answer.message) < 300


def test_the_edges_of_what_fits_are_taken(one_server: Served) -> None:
    """`timeout_ms` is 0 … 86,400,000; `trace_id` a string up to 256 characters or null, of any script."""
    fitting = ['"timeout_ms":0', '"timeout_ms":-0', '"timeout_ms":86400000', '"trace_id":null', '"trace_id":""']
    fitting += [f'"trace_id":"{"é" * 256}"', f'"trace_id":"{"😀" * 256}"', '"trace_id":"\\u0000\\r\\n"', '"args":{}']
    for member in fitting:
        assert post(one_server, b'{"op":"\\u0000",' + member.encode() + b"}").status == 201, member
    assert post(one_server, b'{"op":"' + "é".encode() * 256 + b'"}').status == 201


def test_an_empty_op_is_a_bad_request(one_server: Served) -> None:
    """400 `BAD_REQUEST` (empty `op`)."""
    answer = post(one_server, b'{"op":""}')

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


def test_unknown_members_are_journaled_where_they_are_ignored() -> None:
    """`DUMMYLLM_UNKNOWN=ignore` takes the job and writes the names down; the payload is otherwise judged as ever."""
    app = app_of(load({"DUMMYLLM_UNKNOWN": "ignore"}))

    taken = direct(app, "POST", "/v1/jobs", b'{"op":"x","simulate":"fail","zeal":1,"simulate":2}', JSON_HEADERS)
    plain = direct(app, "POST", "/v1/jobs", b'{"op":"x"}', JSON_HEADERS)
    refused = direct(app, "POST", "/v1/jobs", b'{"op":"x","timeout_ms":-1,"simulate":1}', JSON_HEADERS)
    many = b",".join(b'"name%d":0' % n for n in range(10_000))
    crowd = direct(app, "POST", "/v1/jobs", b'{"op":"x",' + many + b"}", JSON_HEADERS)

    assert [answer.status for answer in (taken, plain, refused, crowd)] == [201, 201, 422, 201]
    notes = [entry.note for entry in app.backend.journal.since()]
    assert notes[0] == "ignored unknown members: simulate, zeal"
    assert notes[1:3] == [None, None]
    assert len(notes[3] or "") < 300


# ---- mutations: nothing but 201, 400, 422

CORPUS = (
    b'{"op":"llm.chat","args":{"model":"m","messages":[{"role":"user","content":"Hello"}]},"timeout_ms":1,"trace_id":"t"}',
    '{"op":"é","args":{"messages":[{"role":"user","content":[{"type":"text","text":"I am \\u00e9 😀"}]}]}}'.encode(),
    b'{"op":"x","args":{"a":[1,-0,1e2,18446744073709551616,1.0,true,null,"\\ud83d\\ude00",{"b":{}}]},"trace_id":null}',
    b' { "trace_id" : "x" , "op" : "embed" , "args" : { } , "timeout_ms" : 0 } ',
)
SCRAPS = (
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000",
    b"1e999", b"-", b"NaN", b"null", b"9" * 400, b'"op":', b'"args":', b'"args":[],', b'"timeout_ms":1.5,', b" ",
)  # fmt: skip


def mutated(chance: random.Random, body: bytes) -> bytes:
    """Return *body* with one to four accidents: bytes cut, doubled, changed, moved or thrown in."""
    for _ in range(chance.randint(1, 4)):
        low = chance.randint(0, len(body))
        high = min(len(body), low + chance.choice((1, 1, 2, 8, 40)))
        body = chance.choice(
            (
                body[:low] + body[high:],
                body[:high] + body[low:],
                body[:low] + chance.choice(SCRAPS) + body[low:],
                body[:low] + chance.choice(SCRAPS) + body[high:],
                body[:low] + chance.randbytes(high - low) + body[high:],
                body[high:] + body[:high],
            )
        )
    return body


@pytest.mark.parametrize("identity", ["payload", "prompt", "trace_id"])
@pytest.mark.parametrize("mode", ["ok", "echo"])
def test_a_mutated_payload_is_taken_or_refused_and_what_is_taken_can_be_read(identity: str, mode: str) -> None:
    """Nothing but 201, 400 and 422; whatever was accepted is shown without a slip, as JSON that others can read too."""
    app = app_of(load({"DUMMYLLM_IDENTITY": identity, "DUMMYLLM_MODE": mode, "DUMMYLLM_LATENCY_MS": "0"}))
    chance = random.Random(f"{identity} {mode}")
    seen = set()
    for _ in range(400):
        body = mutated(chance, chance.choice(CORPUS))
        answer = direct(app, "POST", "/v1/jobs", body, JSON_HEADERS)
        seen.add(answer.status)
        assert answer.status in (201, 400, 422), (body, answer)
        if answer.status == 201:
            json.loads(body)
            for path in ("", "/request"):
                shown = direct(app, "GET", f"/v1/jobs/{answer.json['id']}{path}")
                assert shown.status == 200, (body, shown)
                json.loads(shown.body)
    assert seen == {201, 400, 422}


def test_mutated_payloads_over_a_wire_leave_the_server_well(server: Served) -> None:
    """The same over real sockets: every answer is one of the three, and stderr stays as it was."""
    chance = random.Random(1337)
    with Line(server.port) as line:
        for _ in range(300):
            line.send(request("POST", "/v1/jobs", mutated(chance, chance.choice(CORPUS))))
            assert line.answer().status in (201, 400, 422)
    assert server.complaints() == ""
