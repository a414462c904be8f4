"""Puts the document together from the table of operations and what they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dummyllm import __version__
from dummyllm.setting_values import Unknown
from dummyllm.web.openapi import components, examples
from dummyllm.web.openapi.components import JSON, ref
from dummyllm.web.openapi.operations import OPERATIONS, Operation
from dummyllm.web.openapi.schemas import Schemas, payload_type
from dummyllm.web.refusal import ErrorBody

Document = dict[str, Any]

ABOUT = """\
A backend for jobs that misbehaves the same way twice: what befalls a job is decided by the environment of the server,
never by the payload. Every error has one shape, and a program branches on its `code`. Every GET answers HEAD, too."""

TAGS = {
    "jobs": "Submit, poll, cancel and inspect jobs.",
    "server": "Whether the server is well, and what it is set to.",
    "operator": "What the server was set to, saw and decided; open to this machine, or elsewhere with the key.",
}


def document(unknown: Unknown = Unknown.REFUSE, *, needs_key: bool = False) -> Document:
    """Return the document of a server that treats *unknown* members so, and that wants a key or takes any client."""
    payload = payload_type(unknown)
    answers = dict.fromkeys(operation.answer for operation in OPERATIONS if operation.answer is not None)
    schemas = Schemas([payload, ErrorBody, *answers])
    paths: dict[str, Document] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation, schemas)
    paths["/v1/jobs"]["post"]["requestBody"] = _request_body(schemas.of(payload))
    refusals = sorted({"-".join(codes) for operation in OPERATIONS for _, codes in operation.refusals()})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dummyLLM",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": components.KEY_WANTED if needs_key else components.KEY_WELCOME,
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {name: components.refused(name, schemas.of(ErrorBody)) for name in refusals},
            "parameters": {name: components.parameter(name) for name in components.PARAMETERS},
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


def _request_body(schema: Document) -> Document:
    shown = {name: {"summary": text, "value": value} for name, (text, value) in examples.PAYLOADS.items()}
    return {"required": True, "content": {JSON: {"schema": schema, "examples": shown}}}


def _answered(operation: Operation, schemas: Schemas) -> Document:
    content: Document = {"schema": {"type": "object"} if operation.answer is None else schemas.of(operation.answer)}
    shown = examples.answers().get(operation.id, {})
    if shown:
        content["examples"] = {name: {"value": msgspec.json.decode(body)} for name, body in shown.items()}
    text = "This document." if operation.answer is None else _text(operation.answer)
    found: Document = {"description": text, "content": {JSON: content}}
    if operation.links:
        found["links"] = {name: ref("links", name) for name in operation.links}
    return found


def _about(handler: Callable[..., object]) -> str:
    """Return the docstring of *handler* behind the routes it begins with, as a sentence."""
    text = _text(handler).rpartition("`: ")[2]
    return text[:1].upper() + text[1:]


def _text(described: object) -> str:
    return " ".join((described.__doc__ or "").split())  # `python -OO` takes docstrings away
