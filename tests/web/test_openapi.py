"""The document at /openapi.json against the server that serves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from dummyllm.assembly import app_of
from dummyllm.clock import ManualClock
from dummyllm.settings import load
from dummyllm.web import openapi
from dummyllm.web.app import App
from dummyllm.web.openapi import document as document_module
from dummyllm.web.refusal import STATUS_OF
from dummyllm.web.rest import Rest
from dummyllm.web.waits import Waits

JOB = "/v1/jobs/job_000000000000000000000000"
JSON = ("content-type", "application/json")
OF_THIS_MACHINE = ("host", "127.0.0.1:8787")
Headers = list[tuple[str, str]]


@dataclass
class Answer:
    """What the app answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The sentence of an error."""
        message: str = json.loads(self.body)["detail"]["error"]["message"]
        return message

    @property
    def code(self) -> str:
        """The code of an error."""
        code: str = json.loads(self.body)["detail"]["error"]["code"]
        return code


def app_with(**settings: str) -> App:
    """Return the app of DUMMYLLM_ *settings*, at the instant at which the examples of the document were accepted."""
    return app_of(load({f"DUMMYLLM_{name}": text for name, text in settings.items()}), ManualClock())


def ask(
    app: App, method: str, target: str, body: bytes | Exception | None = b"", headers: Headers | None = None
) -> Answer:
    """Send one request to *app* over loopback; a *body* of None never arrives, an exception is raised."""
    return asyncio.run(asyncio.wait_for(asked(app, method, target, body, headers), 10))


async def asked(
    app: App, method: str, target: str, body: bytes | Exception | None = b"", headers: Headers | None = None
) -> Answer:
    """Send one request to *app*, as `ask` does, in a loop that runs."""
    path, _, query = target.partition("?")
    given = [OF_THIS_MACHINE, *(headers if headers is not None else [JSON])]
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in dict(given).items()],
        "server": ("127.0.0.1", 8787), "client": ("127.0.0.1", 50000), "scheme": "http", "http_version": "1.1",
        "root_path": "",
    }  # fmt: skip
    sent: list[Any] = []
    failures: list[Exception] = []

    async def receive() -> Any:
        if isinstance(body, Exception):
            failures.append(body)
            if len(failures) == 1:
                raise body
            return {"type": "http.disconnect"}
        if body is None:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:]))


def document_of(app: App, headers: Headers | None = None) -> dict[str, Any]:
    """Return the document that *app* serves."""
    answer = ask(app, "GET", "/openapi.json", headers=headers or [])
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    document: dict[str, Any] = json.loads(answer.body)
    return document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document of a server with its defaults."""
    return document_of(app_with())


def validator_of(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Return the judge of *schema*, whose references lead into *document*."""
    return Draft202012Validator({"components": document["components"], **schema})


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of everything in *document*."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolved(document: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return *found*, or what it refers to."""
    while "$ref" in found:
        kind, name = found["$ref"].removeprefix("#/components/").split("/")
        found = document["components"][kind][name]
    return found


@pytest.mark.parametrize(
    "settings", [{}, {"API_KEY": "sesame"}, {"UNKNOWN": "ignore"}], ids=["defaults", "with a key", "lenient"]
)
def test_the_document_is_openapi_3_1(settings: dict[str, str]) -> None:
    """`/openapi.json` describes all of this as OpenAPI 3.1."""
    found = document_of(app_with(**settings), [("x-api-key", "sesame")])

    assert found["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(found).validate()


def test_every_route_of_the_server_is_in_the_document(document: dict[str, Any]) -> None:
    """`/openapi.json` lists every route."""
    app = app_with()
    routes = {route.path for route in Rest(app.backend, app.settings, Waits(1)).routes} | set(app._health.views)
    job_routes = {"/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/cancel", "/v1/jobs/{id}/request"}

    assert set(document["paths"]) == routes | job_routes
    assert set(app_with()._jobs._members) == {"", "cancel", "request"}


def test_every_method_of_every_route_is_in_the_document(document: dict[str, Any]) -> None:
    """Where there is a GET there is a HEAD; any other method is 405, and `Allow` lists those that work."""
    for path, methods in document["paths"].items():
        answer = ask(app_with(), "OPTIONS", path.replace("/v1/jobs/{id}", JOB))

        documented = {method.upper() for method in methods}
        assert answer.status == 405
        assert set(answer.headers["allow"].split(", ")) == documented | ({"HEAD"} if "GET" in documented else set())


def test_every_error_is_in_the_document(document: dict[str, Any]) -> None:
    """Every error has one shape, and its codes are listed under its status, an example of each.

    The status of `SIM_STATUS` is the one that the operator named: it is in the text.
    """
    found = set()
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                content = resolved(document, response)["content"]["application/json"]
                enum = content["schema"]["properties"]["detail"]["properties"]["error"]["properties"]["code"]["enum"]
                assert list(content["examples"]) == enum
                assert {STATUS_OF[code] for code in enum} == {int(status)}
                found |= set(enum)

    assert found == set(STATUS_OF) - {"SIM_STATUS"}
    assert "`SIM_STATUS`" in document["info"]["description"]


CHAT = b'{"op": "llm.chat"}'
KEYED = [JSON, ("idempotency-key", '"order-17"')]


def shutting_down(app: App) -> None:
    app._waits.stop()


def taken(app: App) -> None:
    ask(app, "POST", "/v1/jobs", CHAT)


def keyed(app: App) -> None:
    ask(app, "POST", "/v1/jobs", CHAT, KEYED)


def as_it_is(_: App) -> None:
    pass


@pytest.mark.parametrize(
    ("code", "settings", "before", "request_"),
    [
        ("BAD_JSON", {}, as_it_is, ("POST", "/v1/jobs", b'{"op":"x"} x')),
        ("BAD_REQUEST", {}, as_it_is, ("POST", "/v1/jobs", b'{"op":""}')),
        ("UNAUTHORIZED", {"API_KEY": "sesame"}, as_it_is, ("POST", "/v1/jobs", CHAT)),
        ("ADMIN_OFF", {}, as_it_is, ("POST", "/__admin/reset")),
        ("HOST_NOT_ALLOWED", {}, as_it_is, ("GET", JOB, b"", [("host", "example.test")])),
        ("ORIGIN_NOT_ALLOWED", {}, as_it_is, ("GET", JOB, b"", [("origin", "http://example.test")])),
        ("NOT_FOUND", {}, as_it_is, ("GET", JOB)),
        ("METHOD_NOT_ALLOWED", {}, as_it_is, ("PUT", "/v1/jobs")),
        ("BODY_TOO_SLOW", {"RECEIVE_TIMEOUT_MS": "100"}, as_it_is, ("POST", "/v1/jobs", None)),
        ("CLOCK_NOT_MANUAL", {"ADMIN": "1"}, as_it_is, ("POST", "/__admin/clock", b'{"advance_ms":250}')),
        ("TOO_LARGE", {}, as_it_is, ("POST", "/v1/jobs", b" " * (8 * 2**20 + 1))),
        ("NOT_JSON", {}, as_it_is, ("POST", "/v1/jobs", CHAT, [("content-type", "text/plain")])),
        ("INVALID_REQUEST", {}, as_it_is, ("POST", "/v1/jobs", b'{"op":"x","timeout_ms":86400001}')),
        ("IDEMPOTENCY_KEY_REUSED", {}, keyed, ("POST", "/v1/jobs", b'{"op":"x"}', KEYED)),
        ("HEADERS_TOO_LARGE", {}, as_it_is, ("GET", "/health", b"", [(f"x-{number}", "") for number in range(100)])),
        ("INTERNAL", {}, as_it_is, ("POST", "/v1/jobs", RuntimeError("a bug"))),
        ("FULL", {"MODE": "hang", "JOBS_MAX": "1"}, taken, ("POST", "/v1/jobs", CHAT)),
        ("SHUTTING_DOWN", {}, shutting_down, ("POST", "/v1/jobs", CHAT)),
    ],
)
def test_the_example_of_an_error_is_what_the_server_says(
    document: dict[str, Any],
    code: str,
    settings: dict[str, str],
    before: Callable[[App], None],
    request_: tuple[Any, ...],
) -> None:
    """Every error has one shape: a code for programs and a message for people."""
    app = app_with(**settings)
    before(app)
    answer = ask(app, *request_)

    assert (answer.status, answer.code) == (STATUS_OF[code], code)
    assert answer.message.replace("100 ms", "15000 ms") == said(document, code)


def said(document: dict[str, Any], code: str) -> str:
    """Return the sentence in the example of the error *code*."""
    examples = {}
    for response in document["components"]["responses"].values():
        examples |= response["content"]["application/json"]["examples"]
    message: str = examples[code]["value"]["detail"]["error"]["message"]
    return message


def test_the_example_of_a_busy_server_is_what_the_server_says(document: dict[str, Any]) -> None:
    """A reset is refused with 409 `BUSY` while another request is open: here its body has yet to come."""

    async def reset_beside_another() -> Answer:
        app = app_with(ADMIN="1")
        other = asyncio.ensure_future(asked(app, "POST", "/v1/jobs", None))
        await asyncio.sleep(0)  # it comes as far as it can
        assert app._waits.count == 1
        answer = await asked(app, "POST", "/__admin/reset")
        other.cancel()
        return answer

    answer = asyncio.run(asyncio.wait_for(reset_beside_another(), 10))

    assert (answer.status, answer.code) == (409, "BUSY")
    assert answer.message == said(document, "BUSY")


@pytest.mark.parametrize("status", [400, 503, 599])
def test_a_fault_answers_with_the_status_it_names_as_the_document_says(document: dict[str, Any], status: int) -> None:
    """With a fault, a request about a job may be refused with any status from 400 to 599: the code is `SIM_STATUS`."""
    answer = ask(app_with(FAULTS=f"submit.status({status})=100"), "POST", "/v1/jobs", CHAT)

    assert (answer.status, answer.code) == (status, "SIM_STATUS")
    assert answer.message.replace(str(status), "503") in document["info"]["description"]


def test_a_refusal_comes_with_the_header_that_the_document_promises(document: dict[str, Any]) -> None:
    """A 405 comes with `Allow`, a 401 with `WWW-Authenticate`, a 503 with `Retry-After` in seconds."""
    promised = {
        (name, header)
        for name, response in document["components"]["responses"].items()
        for header, found in response.get("headers", {}).items()
        if found["required"]
    }
    stopping = app_with()
    shutting_down(stopping)

    assert promised == {
        ("METHOD_NOT_ALLOWED", "Allow"), ("UNAUTHORIZED", "WWW-Authenticate"), ("FULL-SHUTTING_DOWN", "Retry-After"),
        ("SHUTTING_DOWN", "Retry-After"),
    }  # fmt: skip
    assert ask(app_with(), "PUT", "/v1/jobs").headers["allow"] == "POST"
    assert ask(app_with(API_KEY="sesame"), "GET", JOB).headers["www-authenticate"] == "Bearer"
    assert ask(stopping, "POST", "/v1/jobs").headers["retry-after"] == "1"


def test_an_answer_has_the_headers_that_the_document_lists(document: dict[str, Any]) -> None:
    """`Preference-Applied` has the wait that was granted, and `Idempotency-Replayed` says that the job was there."""
    waiting = [JSON, ("prefer", "wait=30")]
    submits, polls = (
        {name: resolved(document, header) for name, header in response["headers"].items()}
        for response in [
            document["paths"]["/v1/jobs"]["post"]["responses"]["201"],
            document["paths"]["/v1/jobs/{id}"]["get"]["responses"]["200"],
        ]
    )
    app = app_with()
    first = ask(app, "POST", "/v1/jobs", CHAT, KEYED)
    again = ask(app, "POST", "/v1/jobs", CHAT, KEYED + waiting)
    polled = ask(app, "GET", f"/v1/jobs/{json.loads(first.body)['id']}", headers=waiting)

    assert (set(submits), set(polls)) == ({"Idempotency-Replayed", "Preference-Applied"}, {"Preference-Applied"})
    for answer, listed, had in [(first, submits, set()), (again, submits, set(submits)), (polled, polls, set(polls))]:
        assert set(answer.headers) - {"content-type", "content-length"} == {name.lower() for name in had}
        for name in had:
            assert validator_of(document, listed[name]["schema"]).is_valid(answer.headers[name.lower()])


def test_the_examples_of_a_job_are_what_the_server_answers(document: dict[str, Any]) -> None:
    """The same run has the same ids: the example payload gives the example job."""
    payload = resolved(document, document["paths"]["/v1/jobs"]["post"]["requestBody"])
    body = json.dumps(payload["content"]["application/json"]["examples"]["chat"]["value"], separators=(",", ":"))
    examples = {
        (operation["operationId"], name): example["value"]
        for _, _, operation in operations(document)
        for response in [next(iter(operation["responses"].values()))]
        for content in response["content"].values()
        for name, example in content.get("examples", {}).items()
    }
    id_ = examples["submit", "accepted"]["id"]
    requests = []

    def told(
        app: App, method: str, target: str, sent: str = body, *, after_ms: int = 0, headers: Headers | None = None
    ) -> Any:
        assert isinstance(app.backend.clock, ManualClock)
        app.backend.clock.advance(after_ms)
        requests.append(target)
        answer = ask(app, method, target, sent.encode(), headers)
        return json.loads(answer.body) if answer.headers["content-type"] == JSON[1] else answer.body.decode()

    app, failing, given_up = app_with(MODE="echo"), app_with(MODE="fail"), app_with(MODE="echo")
    waiting = [JSON, ("prefer", "wait=1")]
    assert [told(each, "POST", "/v1/jobs") for each in (app, failing, given_up)] == [examples["submit", "accepted"]] * 3
    assert told(app, "GET", f"/v1/jobs/{id_}") == examples["poll", "running"]
    assert told(app, "GET", f"/v1/jobs/{id_}", after_ms=250) == examples["poll", "ok"]
    assert told(app, "POST", f"/v1/jobs/{id_}/cancel") == examples["cancel", "ended before"]
    assert told(app, "GET", f"/v1/jobs/{id_}/request") == examples["inspect", "as it was sent"]
    assert told(failing, "GET", f"/v1/jobs/{id_}", after_ms=250) == examples["poll", "fail"]
    assert told(given_up, "POST", f"/v1/jobs/{id_}/cancel") == examples["cancel", "cancelled"]
    assert told(given_up, "GET", f"/v1/jobs/{id_}") == examples["poll", "cancelled"]
    assert told(failing, "GET", "/__admin/faults") == examples["faults", "a job that failed"]
    assert told(app_with(MODE="echo"), "POST", "/v1/jobs", headers=waiting) == examples["submit", "waited for"]
    moves = document["paths"]["/__admin/clock"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    (move,) = [json.dumps(example["value"]) for example in moves.values()]
    by_hand = app_with(ADMIN="1", CLOCK="manual")
    assert told(by_hand, "POST", "/__admin/clock", move) == examples["clock", "moved"]
    assert len(examples) == len(requests) - 2, "an example that nothing here has asked for"


def test_every_example_is_as_its_schema_says(document: dict[str, Any]) -> None:
    """Examples in the document are valid."""
    judged = 0
    for path, method, operation in operations(document):
        contents = [resolved(document, response) for response in operation["responses"].values()]
        contents += [operation["requestBody"]] if "requestBody" in operation else []
        for content in (content for found in contents for content in found["content"].values()):
            validator = validator_of(document, content["schema"])
            for name, example in content.get("examples", {}).items():
                errors = [error.message for error in validator.iter_errors(example["value"])]
                assert errors == [], f"{method} {path} {name}"
                judged += 1

    assert judged > 60


@pytest.mark.parametrize(
    "payload",
    [
        {"op": "x"}, {"op": ""}, {"op": "😀" * 256}, {"op": "😀" * 257}, {}, {"op": 1}, {"op": None}, [], "op",
        {"op": "x", "args": {}}, {"op": "x", "args": []}, {"op": "x", "args": None},
        {"op": "x", "timeout_ms": 0}, {"op": "x", "timeout_ms": -1},
        {"op": "x", "timeout_ms": 86_400_000}, {"op": "x", "timeout_ms": 86_400_001},
        {"op": "x", "timeout_ms": 8000.0}, {"op": "x", "timeout_ms": 0.5}, {"op": "x", "timeout_ms": "8000"},
        {"op": "x", "timeout_ms": None}, {"op": "x", "timeout_ms": True},
        {"op": "x", "trace_id": None}, {"op": "x", "trace_id": ""}, {"op": "x", "trace_id": 17},
        {"op": "x", "trace_id": "😀" * 256}, {"op": "x", "trace_id": "😀" * 257},
        {"op": "x", "mode": "fail"},
    ],
    ids=lambda payload: repr(payload)[:40],
)  # fmt: skip
@pytest.mark.parametrize("unknown", ["refuse", "ignore"])
def test_the_server_takes_what_the_document_says_it_takes(payload: Any, unknown: str) -> None:
    """What the schema of the payload allows is accepted, and what it forbids is refused."""
    app = app_with(UNKNOWN=unknown)
    found = document_of(app)
    schema = found["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    status = ask(app, "POST", "/v1/jobs", json.dumps(payload).encode()).status

    assert status in (201, 400, 422)
    assert (status == 201) == validator_of(found, schema).is_valid(payload)


@pytest.mark.parametrize("page", ["/__admin/journal", "/__admin/decisions"])
def test_the_limits_of_a_page_are_those_in_the_document(document: dict[str, Any], page: str) -> None:
    """`?since=` is the first number wanted, `?limit=` how many at most (0 to 10000; 1000 if left out)."""
    for reference in document["paths"][page]["get"]["parameters"]:
        parameter = resolved(document, reference)
        name, schema = parameter["name"], parameter["schema"]
        if name not in ("since", "limit"):
            continue
        for number in (schema["minimum"], schema["maximum"], schema["default"]):
            assert ask(app_with(), "GET", f"{page}?{name}={number}").status == 200
        for number in (schema["minimum"] - 1, schema["maximum"] + 1):
            assert ask(app_with(), "GET", f"{page}?{name}={number}").status == 422


KEYS = [
    "", " ", "a", " a ", "a" * 255, "a" * 256, "a,b", "a b", "a;b", 'a"', "'a'", "é", "!#$%&'*+-.^_`|~/:<=>?@[\\]{}()",
    '""', '" "', '"a"', '"a', '"a b,c"', '"a";b=1', '"a";é', '"a" b', '"a"b', '"é"', r'"\"', r'"\""', r'"\\"', r'"\a"',
    f'"{"a" * 255}"', f'"{"a" * 256}"', '"' + r"\"" * 255 + '"', '"' + r"\"" * 256 + '"',
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:40])
def test_the_server_takes_the_keys_that_the_document_says_it_takes(document: dict[str, Any], key: str) -> None:
    """An Idempotency-Key is 1 to 255 characters, as a string of RFC 8941 or bare; else it is 400 `BAD_REQUEST`."""
    schema = document["components"]["parameters"]["idempotency-key"]["schema"]

    answer = ask(app_with(), "POST", "/v1/jobs", CHAT, [JSON, ("idempotency-key", key)])

    # Blanks around the value of a header are none of it.
    assert (answer.status == 201) == validator_of(document, schema).is_valid(key.strip())
    assert answer.status == 201 or answer.code == "BAD_REQUEST"


ID = "job_000000000000000000000000"


@pytest.mark.parametrize(
    ("path", "name", "texts"),
    [
        ("/__admin/journal", "what", ["submit", "poll", "reset", "Submit", "polls", "", " submit", "submit,poll"]),
        ("/__admin/journal", "job", [ID, ID.upper(), ID[:-1], f"{ID}0", "", f" {ID}", "job_" + "g" * 24]),
        ("/__admin/journal", "fault", ["0", "1", "2", "-1", "01", "true", ""]),
        ("/__admin/verdict", "final", ["0", "1", "2", "-1", "01", "true", ""]),
        (
            "/__admin/verdict",
            "require",
            ["", " ", ",", "backoff", " backoff , jitter ", "backoff,", ",backoff", "backoff,backoff", "Backoff",
             "bakoff", "backoff;jitter", "backoff jitter", "backoff,\tjitter", "backoffjitter"],
        ),
    ],
)  # fmt: skip
def test_a_query_takes_what_the_document_says_it_takes(
    document: dict[str, Any], path: str, name: str, texts: list[str]
) -> None:
    """Whatever is no value of a parameter is 422, and nothing is guessed."""
    parameters = [resolved(document, reference) for reference in document["paths"][path]["get"]["parameters"]]
    (schema,) = [parameter["schema"] for parameter in parameters if parameter["name"] == name]
    taken = {}
    for text in texts:
        taken[text] = ask(app_with(), "GET", f"{path}?{name}={quote(text)}").status
        sent = int(text) if schema["type"] == "integer" and text in ("0", "1", "2", "-1") else text

        assert taken[text] in (200, 422)
        assert (taken[text] == 200) == validator_of(document, schema).is_valid(sent), text

    assert set(taken.values()) == {200, 422}


def test_the_verdict_and_the_journal_are_as_the_document_says(document: dict[str, Any]) -> None:
    """Every member of both; the journal as a file is lines of JSON."""
    app = app_with(VERDICT_IDENTITY="payload")
    ask(app, "POST", "/v1/jobs", CHAT, KEYED)
    for path in ("/__admin/verdict?final=1", "/__admin/journal"):
        answer = ask(app, "GET", path)
        schema = document["paths"][path.partition("?")[0]]["get"]["responses"]["200"]["content"]["application/json"]

        validator_of(document, schema["schema"]).validate(json.loads(answer.body))
    answer = ask(app, "GET", "/__admin/journal.jsonl")

    assert answer.headers["content-type"] == "application/jsonl"
    assert list(document["paths"]["/__admin/journal.jsonl"]["get"]["responses"]["200"]["content"]) == [
        "application/jsonl"
    ]
    assert [next(iter(json.loads(line))) for line in answer.body.splitlines()] == ["journal", "seq", "closed_at_ms"]


@pytest.mark.parametrize("force", ["0", "1", "2", "-1", "01", "true", ""])
def test_a_reset_takes_the_force_that_the_document_says_it_takes(document: dict[str, Any], force: str) -> None:
    """`?force=` is 1 or 0, and anything else is 422."""
    schema = document["components"]["parameters"]["force"]["schema"]

    status = ask(app_with(ADMIN="1"), "POST", f"/__admin/reset?force={force}").status

    assert status in (200, 422)
    assert (status == 200) == (force in {str(number) for number in schema["enum"]})


@pytest.mark.parametrize(
    "move",
    [
        {"advance_ms": 0}, {"advance_ms": -1}, {"advance_ms": 31_622_400_000}, {"advance_ms": 31_622_400_001},
        {"advance_ms": 250.0}, {"advance_ms": 0.5}, {"advance_ms": "250"}, {"advance_ms": None}, {"advance_ms": True},
        {}, [], 250, {"advance_ms": 250, "seconds": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_a_clock_takes_the_moves_that_the_document_says_it_takes(document: dict[str, Any], move: Any) -> None:
    """A manual clock is moved by 0 to 31622400000 whole milliseconds, which is 366 days."""
    schema = document["paths"]["/__admin/clock"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    status = ask(app_with(ADMIN="1", CLOCK="manual"), "POST", "/__admin/clock", json.dumps(move).encode()).status

    assert status in (200, 422)
    assert (status == 200) == validator_of(document, schema).is_valid(move)


def test_a_key_is_wanted_where_one_is_set(document: dict[str, Any]) -> None:
    """Where `DUMMYLLM_API_KEY` is set, it is wanted everywhere but at `/health`, `/livez` and `/readyz`."""
    app = app_with(API_KEY="sesame", ADMIN="1")
    found = document_of(app, [("x-api-key", "sesame")])

    assert document["security"] == [{}, {"bearer": []}, {"key": []}]
    assert found["security"] == [{"bearer": []}, {"key": []}]
    for path, method, operation in operations(found):
        answer = ask(app, method.upper(), path.replace("{id}", JOB.rpartition("/")[2]))
        assert (answer.status == 401) == (operation.get("security") != []), path


def test_the_document_is_made_once_and_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that nobody asks for its document starts no later for it."""
    made = []
    make = document_module.document
    monkeypatch.setattr(document_module, "document", lambda *args, **kinds: made.append(args) or make(*args, **kinds))
    openapi._written.cache_clear()

    app = app_with()
    assert len(made) == 0
    assert document_of(app) == document_of(app)
    assert len(made) == 1
