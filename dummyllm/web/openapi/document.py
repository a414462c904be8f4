"""Puts the document together from the table of operations and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dummyllm import __version__
from dummyllm.setting_values import Unknown
from dummyllm.web.admin import JSON_LINES
from dummyllm.web.openapi import components, examples
from dummyllm.web.openapi.components import JSON, ref
from dummyllm.web.openapi.operations import OPERATIONS, Operation
from dummyllm.web.openapi.schemas import Schemas, payload_type
from dummyllm.web.refusal import ErrorBody

Document = dict[str, Any]

ABOUT = """\
A backend for jobs that misbehaves the same way twice: what befalls a job is decided by the environment of the server,
never by the payload. Every error has one shape, and a program branches on its `code`. Every GET answers HEAD, too.

This document tells of requests that no fault befell. Where the operator sets faults (`DUMMYLLM_FAULTS`, a script, a \
rule), a request about a job may be refused with any status from 400 to 599 and the code `SIM_STATUS`, as in "%s", or \
with a body that is HTML or empty; a poll may show a state that nobody documented, or no job; any answer may get lost.\
"""

# What is not made of structs.
UNTYPED: dict[str, Document] = {
    JSON: {"type": "object"},
    "text/plain": {"type": "string"},
    JSON_LINES: {"type": "string"},
}

TAGS = {
    "jobs": "Submit, poll, cancel and inspect jobs.",
    "server": "Whether the server is well, and what it is set to.",
    "operator": "What the server was set to, saw and decided; open to this machine, or elsewhere with the key.",
}


def document(unknown: Unknown = Unknown.REFUSE, *, needs_key: bool = False) -> Document:
    """Return the document of a server that treats *unknown* members so, and that wants a key or takes any client."""
    payload = payload_type(unknown)
    bodies = {operation.id: operation.body for operation in OPERATIONS if operation.body is not None}
    bodies["submit"] = payload
    answers = dict.fromkeys(kind for operation in OPERATIONS for kind in operation.answers)
    schemas = Schemas([ErrorBody, *bodies.values(), *answers])
    paths: dict[str, Document] = {}
    for operation in OPERATIONS:
        found = paths.setdefault(operation.path, {})[operation.method] = _described(operation, schemas)
        if operation.id in bodies:
            found["requestBody"] = _request_body(operation.id, schemas.of(bodies[operation.id]))
    refusals = sorted({"-".join(codes) for operation in OPERATIONS for _, codes in operation.refusals()})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dummyLLM",
            "version": __version__,
            "description": ABOUT % examples.SAID["SIM_STATUS"],
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": components.KEY_WANTED if needs_key else components.KEY_WELCOME,
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {name: components.refused(name, schemas.of(ErrorBody)) for name in refusals},
            "parameters": {name: components.parameter(name) for name in components.PARAMETERS},
            "headers": {name: components.answer_header(name) for name in components.ANSWER_HEADERS},
            "links": {name: components.link(name) for name in components.LINKS},
            "securitySchemes": components.SECURITY_SCHEMES,
        },
    }


def _described(operation: Operation, schemas: Schemas) -> Document:
    about = _about(operation.handler)
    responses = {str(operation.status): _answered(operation, schemas)}
    responses |= {str(status): ref("responses", "-".join(codes)) for status, codes in operation.refusals()}
    found: Document = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": about.partition(".")[0],
        "description": about,
        "responses": responses,
    }
    if operation.is_open:
        found["security"] = []
    if operation.parameters:
        found["parameters"] = [ref("parameters", name) for name in operation.parameters]
    return found


def _request_body(operation_id: str, schema: Document) -> Document:
    bodies = examples.BODIES[operation_id]
    shown = {name: {"summary": text, "value": value} for name, (text, value) in bodies.items()}
    return {"required": True, "content": {JSON: {"schema": schema, "examples": shown}}}


def _answered(operation: Operation, schemas: Schemas) -> Document:
    content: Document = {"schema": schemas.of(*operation.answers) if operation.answers else UNTYPED[operation.media]}
    shown = examples.answers().get(operation.id, {})
    if shown:
        content["examples"] = {name: {"value": _value(operation, body)} for name, body in shown.items()}
    found: Document = {"description": _promised(operation), "content": {operation.media: content}}
    if operation.headers:
        found["headers"] = {name: ref("headers", name) for name in operation.headers}
    if operation.links:
        found["links"] = {name: ref("links", name) for name in operation.links}
    return found


def _value(operation: Operation, body: bytes) -> object:
    return msgspec.json.decode(body) if operation.media == JSON else body.decode()


def _promised(operation: Operation) -> str:
    first, *others = [_text(kind) for kind in operation.answers] or [_about(operation.handler)]
    return " ".join([first, *(f"Or {text[:1].lower()}{text[1:]}" for text in others)])


def _about(handler: Callable[..., object]) -> str:
    """Return the docstring of *handler* behind the routes it begins with, as a sentence."""
    text = _text(handler).rpartition("`: ")[2]
    return text[:1].upper() + text[1:]


def _text(described: object) -> str:
    return " ".join((described.__doc__ or "").split())  # `python -OO` takes docstrings away
