"""Knows the script format of 1966: reads a file of rules into a Script, or says everything that is wrong with it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dummyllm.eliza.bodies import MEMORY_FORM, NONE_FORM, Bodies
from dummyllm.eliza.complaint import Complaint, ScriptError
from dummyllm.eliza.forms import Forms
from dummyllm.eliza.heading import heading_of
from dummyllm.eliza.rules import Keyword, Link, Pre, Script
from dummyllm.eliza.sexpr import Atom, Listing, Node, parsed, shown
from dummyllm.eliza.words import CAPITALS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dummyllm.eliza.heading import Heading


def read_script(text: str, *, source: str = "script") -> Script:
    """Return the script that *text* spells; raise ScriptError, with a line for each mistake, if it is not one."""
    nodes = parsed(text, source)
    complaints: list[Complaint] = []
    greeting = _greeting(nodes, complaints)
    rules, nones, memories = _sorted_out(_rules(nodes[1:], complaints))
    headings = _once(filter(None, (heading_of(rule, complaints) for rule in rules)), complaints)
    bodies = Bodies(Forms(_tagged(headings), complaints), complaints)
    keywords = {heading.key: bodies.keyword(heading) for heading in headings}
    none = bodies.none(nones[0]) if _single("NONE", nones, NONE_FORM, complaints) else None
    memory = bodies.memory(memories[0]) if _single("MEMORY", memories, MEMORY_FORM, complaints) else None
    if memory and not (memory.key in keywords and keywords[memory.key].speaks):
        complaints.append(
            Complaint(memories[0].line, f"MEMORY waits for {memory.key}, a keyword without transformations"),
        )
    complaints += _loose_ends([*keywords.values(), *([none] if none else [])], keywords)
    if none is None or memory is None or complaints:
        raise ScriptError(source, complaints)
    natural = any(ord(char) in CAPITALS for char in "".join(map(str, nodes)))
    return Script(source, greeting, MappingProxyType(keywords), none, memory, natural)


def _greeting(nodes: Sequence[Node], complaints: list[Complaint]) -> tuple[str, ...]:
    match nodes[:1]:
        case [Listing(items=[_, *_] as words)] if all(isinstance(word, Atom) for word in words):
            return tuple(map(str, words))
    complaints.append(Complaint(nodes[0].line if nodes else 1, "a script begins with its greeting, a list of words"))
    return ()


def _rules(nodes: Sequence[Node], complaints: list[Complaint]) -> Iterator[Listing]:
    for place, node in enumerate(nodes):
        match node:
            case Listing(items=[_, *_]):
                yield node
            case Listing() if place + 1 < len(nodes):
                complaints.append(Complaint(node.line, "() ends a script, but more follows"))
            case Atom(text=text) if text != "START" or place:
                text = f"{shown(node)!r} stands outside all lists; only START may, after the greeting"
                complaints.append(Complaint(node.line, text))


def _sorted_out(rules: Iterable[Listing]) -> tuple[list[Listing], list[Listing], list[Listing]]:
    """Return the rules of keywords, the NONE rules and the MEMORY rules."""
    named: dict[str, list[Listing]] = {"NONE": [], "MEMORY": []}
    others: list[Listing] = []
    for rule in rules:
        named.get(str(rule.items[0]), others).append(rule)
    return others, named["NONE"], named["MEMORY"]


def _once(headings: Iterable[Heading], complaints: list[Complaint]) -> list[Heading]:
    """Return *headings* without those of a keyword that has had its rule."""
    first: dict[str, Heading] = {}
    for heading in headings:
        if first.setdefault(heading.key, heading) is not heading:
            text = f"a second rule for {heading.key}; the first is on line {first[heading.key].line}"
            complaints.append(Complaint(heading.line, text))
    return list(first.values())


def _tagged(headings: Iterable[Heading]) -> dict[str, frozenset[str]]:
    """Return the keywords that carry each tag."""
    tagged: dict[str, frozenset[str]] = {}
    for heading in headings:
        for tag in heading.tags:
            tagged[tag] = tagged.get(tag, frozenset()) | {heading.key}
    return tagged


def _single(name: str, rules: Sequence[Listing], form: str, complaints: list[Complaint]) -> bool:
    if not rules:
        complaints.append(Complaint(1, f"there is no {name} rule, and a script needs one: {form}"))
    text = f"a second {name} rule; the first is on line {rules[0].line if rules else 1}"
    complaints.extend(Complaint(rule.line, text) for rule in rules[1:])
    return bool(rules)


def _loose_ends(rules: Iterable[Keyword], keywords: Mapping[str, Keyword]) -> Iterator[Complaint]:
    """Yield a complaint for every link to a keyword that has nothing to say."""
    for rule in rules:
        entries = (entry for decomposition in rule.decompositions for entry in decomposition.cycle)
        links = [entry.to for entry in entries if isinstance(entry, Link | Pre)] + ([rule.link] if rule.link else [])
        for key in dict.fromkeys(links):
            if key not in keywords:
                yield Complaint(rule.line, f"{rule.key} links to {key}, which has no rule")
            elif not keywords[key].speaks:
                yield Complaint(rule.line, f"{rule.key} links to {key}, which has no transformations")
