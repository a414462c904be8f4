"""The parts of the document that operations share: parameters, links, refusals, and the ways to send a key."""

from __future__ import annotations

from typing import Any

import msgspec

from dummyllm.web import admin, encode
from dummyllm.web.openapi.examples import SAID
from dummyllm.web.refusal import MEANINGS, STATUS_OF, Refusal, body_of

Described = dict[str, Any]

JSON = "application/json"
SINCE_MAX = 2**53

PARAMETERS = {
    "id": ("path", "the id of a job, as the submit returned it", msgspec.json.schema(encode.Id)),
    "since": ("query", "the number of the first entry wanted", {"minimum": 0, "maximum": SINCE_MAX, "default": 0}),
    "limit": (
        "query",
        "how many entries at most",
        {"minimum": 0, "maximum": admin.LIMIT_MAX, "default": admin.LIMIT_DEFAULT},
    ),
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

HEADERS = {
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
    if status in HEADERS:
        header, text, schema = HEADERS[status]
        found["headers"] = {header: {"description": text, "required": True, "schema": schema}}
    return found


def parameter(name: str) -> Described:
    """Return the parameter called *name*."""
    place, text, limits = PARAMETERS[name]
    schema = {"type": "integer"} | limits
    return {"name": name, "in": place, "required": place == "path", "description": text, "schema": schema}


def link(name: str) -> Described:
    """Return the link to the operation called *name*."""
    wanted, member, text = LINKS[name]
    return {"operationId": name, "parameters": {wanted: f"$response.body#/{member}"}, "description": text}


def ref(kind: str, name: str) -> Described:
    """Return the reference to the component of this *kind* called *name*."""
    return {"$ref": f"#/components/{kind}/{name}"}
