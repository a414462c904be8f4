"""Describes the API as an OpenAPI 3.1 document, made from the types and tables that the server itself goes by.

What a payload and an answer look like comes from the structs, what an error means from `refusal`, what a route does
from the docstring of its handler, and the examples of jobs from the code that answers. Written by hand is one table:
which route gives which answer and which errors (`operations`). The document tells of *this* server: where a key is set,
it says that one is wanted. It is made when it is first asked for; a server that nobody asks starts no later for it.
"""

from __future__ import annotations

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from dummyllm.setting_values import Unknown
from dummyllm.settings import Settings
from dummyllm.web import encode


async def openapi_route(request: Request) -> Response:
    """`GET /openapi.json`: this document."""
    settings: Settings = request.app.settings
    body = _written(settings.unknown, needs_key=settings.api_key is not None)
    return Response(body, media_type="application/json")


@lru_cache
def _written(unknown: Unknown, *, needs_key: bool) -> bytes:
    from dummyllm.web.openapi.document import document  # noqa: PLC0415  # none of it is read before somebody asks

    return encode.encode(document(unknown, needs_key=needs_key))
