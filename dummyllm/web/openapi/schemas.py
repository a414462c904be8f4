"""The schemas of the structs, under the names of the structs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dummyllm.setting_values import Unknown
from dummyllm.web.admin_views import ADVANCE_MS_MAX
from dummyllm.web.decode import TIMEOUT_MS_MAX, StrictSubmission

# Where the decoder has a type of its own, this is what a client may send.
DOCUMENTED: dict[str, Any] = {
    "args": dict[str, Any],
    "timeout_ms": Annotated[int, Meta(ge=0, le=TIMEOUT_MS_MAX)],
}
ADVANCE_MS = Annotated[int, Meta(ge=0, le=ADVANCE_MS_MAX)]
MEMBERS = {
    "op": Meta(min_length=1, description="the operation; only `llm.chat` is answered by ELIZA"),
    "args": Meta(description="whatever the operation takes; kept byte for byte, white space aside"),
    "timeout_ms": Meta(
        description="how long the client means to wait; the deadline is the client's to keep, and only mode timeout "
        "looks at it"
    ),
    "trace_id": Meta(description="the client's own name for this piece of work"),
}
UNKNOWN_MEMBERS = {
    Unknown.REFUSE: "The standard payload and not a member more: behaviour is set on the server.",
    Unknown.IGNORE: "The standard payload. Any other member is ignored, and the journal says so.",
}


class Schemas:
    """The schemas of *kinds* and of all they are made of; *components* are the definitions to refer to."""

    def __init__(self, kinds: Iterable[type[msgspec.Struct]]) -> None:
        found, self.components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
        self._of = dict(zip(kinds, found, strict=True))
        # `args` passes through us as bytes; what is in them is an object, and that is all we know of it.
        self.components["RequestView"]["properties"]["args"] = {"type": "object"}
        self.components["Move"]["properties"]["advance_ms"] = msgspec.json.schema(ADVANCE_MS)

    def of(self, *kinds: type[msgspec.Struct]) -> dict[str, Any]:
        """Return the schema of what is of one of *kinds*; it refers to the components."""
        found = [dict(self._of[kind]) for kind in kinds]
        return found[0] if len(found) == 1 else {"anyOf": found}


def payload_type(unknown: Unknown) -> type[msgspec.Struct]:
    """Return the standard payload as a client sees it: where the decoder keeps bytes, there is an object."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(StrictSubmission):
        kind = DOCUMENTED.get(field.name, field.type)
        default = {} if field.type is msgspec.Raw else field.default
        fields.append((field.name, Annotated[kind, MEMBERS[field.name]], default))
    text = {"__doc__": UNKNOWN_MEMBERS[unknown]}
    is_strict = unknown is Unknown.REFUSE
    return msgspec.defstruct("Submission", fields, namespace=text, forbid_unknown_fields=is_strict)
