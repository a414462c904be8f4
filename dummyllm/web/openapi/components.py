"""The parts of the document that operations share: parameters, links, refusals, and the ways to send a key."""

from __future__ import annotations

from typing import Any

import msgspec

from dummyllm.journal import What
from dummyllm.verdict.invariants.registry import INVARIANTS
from dummyllm.web import admin, asked, encode
from dummyllm.web.openapi.examples import SAID
from dummyllm.web.refusal import MEANINGS, STATUS_OF, Refusal, body_of

Described = dict[str, Any]

JSON = "application/json"

KEY_ABOUT = (
    "the client's own name for this submit: with the same key and payload it makes no other job, and gets the first "
    f"answer again. 1 to {asked.KEY_CHARACTERS_MAX} characters, as a string of RFC 8941 or bare; best a new UUID"
)
PREFER_ABOUT = (
    f"`wait=N` holds the answer until the job has ended or N seconds have passed, {asked.WAIT_S_MAX} at most; any "
    "other preference is ignored (RFC 7240)"
)
KEY = {"type": "string", "pattern": asked.KEY_PATTERN, "examples": ['"8e03978e-40d5-43dd-bc93-6894a57f9324"']}
LIMIT = {"type": "integer", "minimum": 0, "maximum": admin.LIMIT_MAX, "default": admin.LIMIT_DEFAULT}
SINCE = {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0}
SWITCH = {"type": "integer", "enum": [0, 1], "default": 0}
WHAT = {"type": "string", "enum": [what.value for what in What]}

_ANY_RULE = f"(?:{'|'.join(INVARIANTS)})"
RULES = {
    "type": "string",
    "pattern": f"^ *{_ANY_RULE}? *(?:, *{_ANY_RULE}? *)*$",
    "examples": ["no-concurrent-duplicate,cancel-on-give-up"],
}

# The name in the components: where it stands, how it is spelled there, what it means, what it may be.
PARAMETERS = {
    "id": ("path", "id", "the id of a job, as the submit returned it", msgspec.json.schema(encode.Id)),
    "idempotency-key": ("header", "Idempotency-Key", KEY_ABOUT, KEY),
    "prefer": ("header", "Prefer", PREFER_ABOUT, {"type": "string", "examples": ["wait=1"]}),
    "since": ("query", "since", "the number of the first entry wanted", SINCE),
    "limit": ("query", "limit", "how many entries at most", LIMIT),
    "what": ("query", "what", "only entries of this kind", WHAT),
    "job": ("query", "job", "only entries about this job", msgspec.json.schema(encode.Id)),
    "fault": ("query", "fault", "1 leaves only what a fault befell", SWITCH),
    "final": ("query", "final", "1 says that the run is over: what is still open is not pending, but missing", SWITCH),
    "require": ("query", "require", "rules that must be put to the test, comma between", RULES),
    "force": ("query", "force", "1 resets though other requests are open", SWITCH),
}

LINKS = {
    "poll": ("id", "id", "what became of this job"),
    "cancel": ("id", "id", "give this job up"),
    "inspect": ("id", "id", "what this job was asked to do, and what was decided about it"),
    "journal": ("since", "next", "the entries after these"),
    "decisions": ("since", "next", "the decisions after these"),
}

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`DUMMYLLM_API_KEY` as `Authorization: Bearer`"},
    "key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "`DUMMYLLM_API_KEY` as `x-api-key`"},
}
KEY_WANTED: list[Described] = [{name: []} for name in SECURITY_SCHEMES]
KEY_WELCOME: list[Described] = [{}, *KEY_WANTED]

GRANTED = {"type": "string", "pattern": "^wait=[0-9]+$", "examples": ["wait=1"]}

ANSWER_HEADERS = {
    "Idempotency-Replayed": ("the job was there already: its key came again", {"type": "string", "enum": ["true"]}),
    "Preference-Applied": ("how long the answer was held at most, in seconds", GRANTED),
}

REFUSAL_HEADERS = {
    401: ("WWW-Authenticate", "how to send a key", {"type": "string", "examples": ["Bearer"]}),
    405: ("Allow", "the methods that work on this path", {"type": "string", "examples": ["GET, HEAD"]}),
    503: ("Retry-After", "whole seconds until a try makes sense", {"type": "integer", "minimum": 1}),
}


def refused(name: str, error_schema: Described) -> Described:
    """Return the response called *name*: all the codes, joined by a dash, that one operation gives with one status."""
    codes = name.split("-")
    status = STATUS_OF[codes[0]]
    narrowed = {"properties": {"detail": {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}}}
    examples = {
        code: {"summary": MEANINGS[code], "value": msgspec.json.decode(body_of(Refusal(code, SAID[code])))}
        for code in codes
    }
    found: Described = {
        "description": "; ".join(f"`{code}`: {MEANINGS[code]}" for code in codes),
        "content": {JSON: {"schema": error_schema | narrowed, "examples": examples}},
    }
    if status in REFUSAL_HEADERS:
        header, text, schema = REFUSAL_HEADERS[status]
        found["headers"] = {header: {"description": text, "required": True, "schema": schema}}
    return found


def parameter(name: str) -> Described:
    """Return the parameter called *name*."""
    place, spelled, text, schema = PARAMETERS[name]
    return {"name": spelled, "in": place, "required": place == "path", "description": text, "schema": schema}


def answer_header(name: str) -> Described:
    """Return the header called *name*, which some answers have."""
    text, schema = ANSWER_HEADERS[name]
    return {"description": text, "schema": schema}


def link(name: str) -> Described:
    """Return the link to the operation called *name*."""
    wanted, member, text = LINKS[name]
    return {"operationId": name, "parameters": {wanted: f"$response.body#/{member}"}, "description": text}


def ref(kind: str, name: str) -> Described:
    """Return the reference to the component of this *kind* called *name*."""
    return {"$ref": f"#/components/{kind}/{name}"}
