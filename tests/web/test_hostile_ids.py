"""Job ids that are none, and paths that try to be more than a path."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dummyllm.assembly import app_of
from dummyllm.settings import load
from tests.web.direct import direct
from tests.web.stack import Line, Served, ask, request

SETTINGS = {"LATENCY_MS": "0"}
GRAMMAR = re.compile(r"job_[0-9a-f]{24}", re.ASCII)
A_JOB = "job_" + "0" * 24

STRANGERS = {
    "a parent": "../",
    "parents": "../../../etc/passwd",
    "an encoded parent": "%2e%2e%2f",
    "a doubly encoded parent": "%252e%252e%252f",
    "a backslash": "..%5c..%5c",
    "a NUL": "%00",
    "a NUL behind an id": A_JOB + "%00",
    "a line end behind an id": A_JOB + "%0a",
    "CRLF and a header": A_JOB + "%0d%0aset-cookie:%20a=b",
    "10 kB": "a" * 10_000,
    "10 kB of hexadecimal": "job_" + "0" * 10_000,
    "one digit more": A_JOB + "0",
    "one digit less": A_JOB[:-1],
    "capitals": "JOB_" + "A" * 24,
    "capital digits": "job_" + "A" * 24,
    "other digits": "job_" + quote("٠" * 24),
    "full width": quote("ｊｏｂ_") + "0" * 24,
    "no UTF-8": "%ff%fe",
    "a right-to-left mark": quote("\u202e") + A_JOB,
    "a prototype": "__proto__",
    "a constructor": "constructor",
    "a dunder": "__class__",
    "SQL": quote("' OR 1=1;--"),
    "a script": quote("<script>alert(1)</script>"),
    "a template": quote("{{7*7}}${7*7}"),
    "a format": quote("%s%n{0}{id!r}"),
    "a wildcard": "*",
    "a semicolon": A_JOB + ";v=1",
    "a blank": A_JOB + "%20",
    "a dot": ".",
    "null": "null",
    "a formula": quote("=cmd|' /C calc'!A0"),
    "an escape sequence": quote("\x1b[2J"),
}


@pytest.mark.parametrize("name", STRANGERS)
@pytest.mark.parametrize("path", ["/v1/jobs/{}", "/v1/jobs/{}/request", "/v1/jobs/{}/cancel", "/v1/jobs/{}/nope"])
def test_what_is_no_job_id_is_not_found(one_server: Served, name: str, path: str) -> None:
    """404 `NOT_FOUND`, short, and without an echo of what could harm whoever reads it."""
    method = "POST" if path.endswith("cancel") else "GET"

    answer = ask(one_server.port, method, path.format(STRANGERS[name]))

    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert len(answer.message) < 300
    assert not set(answer.message) & {"\x00", "\r", "\n", "\x1b", "\u202e"}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_job_id_is_not_kept(one_server: Served, name: str) -> None:
    """Nothing outside the id grammar reaches the store or the journal, whatever the method."""
    with Line(one_server.port) as line:
        for method in ("GET", "PUT", "DELETE", "POST"):
            line.send(request(method, f"/v1/jobs/{STRANGERS[name]}"))
            assert line.answer().status in (404, 405)
        line.send(request("GET", "/__admin/journal?limit=10000"))
        journal = line.answer()

    jobs = {entry.get("job") for entry in journal.json["entries"]} - {None}
    assert all(GRAMMAR.fullmatch(job) for job in jobs), jobs


APP = app_of(load({}))
METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"])
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.from_regex(r"\Ajob_[0-9a-fA-F]{20,28}/?\Z"),
    st.sampled_from(["", ".", "..", "/", "//", A_JOB, "cancel", "request"]),
)


@settings(max_examples=150, deadline=None)
@given(method=METHODS, names=st.lists(NAMES, max_size=3), query=st.binary(max_size=20))
@example(method="GET", names=["", ""], query=b"")
@example(method="POST", names=["", "cancel"], query=b"since=1")
def test_any_path_below_jobs_is_404_405_or_a_refused_post(method: str, names: list[str], query: bytes) -> None:
    """Whatever stands in the path: 404 or 405 (+ Allow), and nothing else; only POST to the bare path is read."""
    path = "/".join(["/v1/jobs", *names])

    answer = direct(APP, method, path, query=query)

    if method == "POST" and path == "/v1/jobs":
        assert (answer.status, answer.code) == (400, "BAD_JSON")
    elif method == "HEAD":
        assert answer.status in (404, 405)
    else:
        assert (answer.status, answer.code) in ((404, "NOT_FOUND"), (405, "METHOD_NOT_ALLOWED"))
    assert (answer.status == 405) is ("allow" in answer.headers)


@settings(max_examples=60, deadline=None)
@given(method=METHODS, path=st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map("/".__add__))
def test_any_other_path_is_404_or_405(method: str, path: str) -> None:
    """A route that is none is 404 in the one error shape, whatever it is called."""
    answer = direct(APP, method, "/x" + path)

    assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/jobs", {"POST"}),
        (f"/v1/jobs/{A_JOB}", {"GET", "HEAD"}),
        (f"/v1/jobs/{A_JOB}/request", {"GET", "HEAD"}),
        (f"/v1/jobs/{A_JOB}/cancel", {"POST"}),
        ("/health", {"GET", "HEAD"}),
        ("/livez", {"GET", "HEAD"}),
        ("/readyz", {"GET", "HEAD"}),
        ("/openapi.json", {"GET", "HEAD"}),
        ("/__admin/config", {"GET", "HEAD"}),
        ("/__admin/journal", {"GET", "HEAD"}),
        ("/__admin/decisions", {"GET", "HEAD"}),
        ("/__admin/reset", {"POST"}),
    ],
)
def test_a_method_that_a_route_does_not_have_is_405_and_those_it_has_are_listed(path: str, allowed: set[str]) -> None:
    """405 `METHOD_NOT_ALLOWED` with `Allow`, the same for every route."""
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - allowed:
        answer = direct(APP, method, path)
        assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED"), method
        assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "path", ["/v1/jobs/", "/V1/jobs", "/v1/job", "/v1/jobsx", "/v1", "/", "", "/health/", "/__admin"]
)
def test_a_path_that_is_nearly_a_route_is_none(path: str) -> None:
    """No redirects, no guessing: 404 and a word on what there is."""
    answer = direct(APP, "GET", path)

    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert "/v1/jobs" in answer.message
