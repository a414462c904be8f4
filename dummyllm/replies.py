"""Knows the text with which a job ends well, and how many tokens it is said to have.

The text is made when it is first read, not when the job is accepted: most jobs of a chaos test are never read to the
end, and a POST should not wait for prose. A token is four characters, rounded up; the point of the figure is that it is
the same for the same text.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from dummyllm.core.canonical import minified
from dummyllm.core.fate import Fate
from dummyllm.core.job import Job
from dummyllm.core.mode import Mode
from dummyllm.core.request import OP_OF_CHAT, JobId, JobRequest

if TYPE_CHECKING:
    from dummyllm.eliza import Script

CHARACTERS_PER_TOKEN = 4
REMEMBERED_MAX = 4096
REMEMBERED_CHARACTERS_MAX = 4096


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Token counts as a real backend would bill them."""

    prompt_tokens: int
    completion_tokens: int


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The text an `ok` job ends with."""

    text: str
    usage: Usage


class _Chat(msgspec.Struct):
    messages: msgspec.Raw = msgspec.Raw(b"[]")


class _Message(msgspec.Struct):
    role: str
    content: msgspec.Raw = msgspec.Raw(b"null")


class _Part(msgspec.Struct):
    type: str
    text: str


_NOTHING: tuple[None, None] = (None, None)
_chat_decoder = msgspec.json.Decoder(_Chat)
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_message_decoder = msgspec.json.Decoder(_Message)
_text_decoder = msgspec.json.Decoder(str)
_part_decoder = msgspec.json.Decoder(_Part | str)


@dataclass(slots=True)
class Replies:
    """Writes replies by the ELIZA *script*, None for our own; *eliza_seed* None is the classic 1966 order."""

    script: Script | None
    eliza_seed: int | None
    _remembered: OrderedDict[JobId, tuple[JobRequest, Reply]]

    def __init__(self, script: Script | None, eliza_seed: int | None) -> None:
        self.script = script
        self.eliza_seed = eliza_seed
        self._remembered = OrderedDict()

    def reply_to(self, job: Job) -> Reply:
        """Return the reply of *job*: the same for the same request, however often it is asked for."""
        request, reply = self._remembered.get(job.id, _NOTHING)
        if reply is not None and request is job.request:  # once counters are dropped, an id may come again
            return reply
        reply = self._write(job)
        if len(reply.text) <= REMEMBERED_CHARACTERS_MAX:
            self._remember(job, reply)
        return reply

    def clear(self) -> None:
        """Forget the replies remembered; they come out the same when asked for again."""
        self._remembered.clear()

    def _write(self, job: Job) -> Reply:
        request = job.request
        if job.policy.reply is not None:
            text = job.policy.reply
        elif job.fate.mode is Mode.ECHO:
            text = echo(request.args)
        elif request.op != OP_OF_CHAT:
            text = f"ok :: op={request.op}"
        else:
            text = _said_by_eliza(self.script, request.args, self.eliza_seed)
        if job.fate.faults:
            text = _rewritten(text, job.fate)
        return Reply(text, Usage(prompt_tokens=_tokens(len(echo(request.args))), completion_tokens=_tokens(len(text))))

    def _remember(self, job: Job, reply: Reply) -> None:
        self._remembered[job.id] = (job.request, reply)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)


def _rewritten(text: str, fate: Fate) -> str:
    """Return what the faults of *fate* make of *text*."""
    from dummyllm.core.faults.effect import Rewrite  # noqa: PLC0415  # faults are fetched when there are some

    for fault in fate.faults:
        if isinstance(fault.effect, Rewrite):
            text = fault.effect.change(text)
    return text


def echo(args: bytes) -> str:
    """Return `args.messages` as it was sent, white space aside; `[]` if there is none."""
    return minified(bytes(_chat_decoder.decode(args).messages)).decode()


def _said_by_eliza(script: Script | None, args: bytes, seed: int | None) -> str:
    # ELIZA is fetched when she is first needed, and so is our own script: no server waits for either to start.
    from dummyllm import eliza  # noqa: PLC0415

    return eliza.reply(script or eliza.own_script(), user_texts(args), seed=seed)


def user_texts(args: bytes) -> list[str]:
    """Return the texts of the user's messages in `args.messages`, oldest first, passing over whatever else is there."""
    from dummyllm.eliza import texts_of  # noqa: PLC0415
    from dummyllm.eliza.limits import ITEMS_MAX  # noqa: PLC0415

    try:
        items = _items_decoder.decode(_chat_decoder.decode(args).messages)
    except msgspec.ValidationError:
        return []
    heard = items[-ITEMS_MAX:]
    return texts_of([None] * (len(items) - len(heard)) + [_message(item) for item in heard])


def _message(item: msgspec.Raw) -> object:
    """Return role and content of a message, or None if it is no message. Only what ELIZA hears is decoded."""
    from dummyllm.eliza.limits import PARTS_MAX  # noqa: PLC0415

    try:
        message = _message_decoder.decode(item)
        if not bytes(message.content).startswith(b"["):
            return {"role": message.role, "content": _text_decoder.decode(message.content)}
        parts = _items_decoder.decode(message.content)[:PARTS_MAX]
        return {"role": message.role, "content": [_part(part) for part in parts]}
    except msgspec.ValidationError:
        return None


def _part(part: msgspec.Raw) -> object:
    try:
        return msgspec.to_builtins(_part_decoder.decode(part))
    except msgspec.ValidationError:
        return None


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
