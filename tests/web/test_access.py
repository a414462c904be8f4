"""Who may speak to this server: the Host rule, the Origin rule, the key, and the operator's own routes."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dummyllm.assembly import app_of
from dummyllm.settings import load
from dummyllm.web.app import App
from tests.web.direct import HERE, LOOPBACK, direct
from tests.web.stack import STACKS, Answer, Line, request, served

ELSEWHERE = ("10.0.0.5", 80)
THERE = ("10.0.0.9", 40_000)
JSON = (b"content-type", b"application/json")
GOOD = b'{"op":"x"}'


def app_with(**chosen: str) -> App:
    return app_of(load({f"DUMMYLLM_{name}": value for name, value in chosen.items()}))


OPEN = app_with()


def outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.code


PASSES = (404, "NOT_FOUND")  # of a job that does not exist: the rules were passed
WRONG_HOST = (403, "HOST_NOT_ALLOWED")
WRONG_ORIGIN = (403, "ORIGIN_NOT_ALLOWED")
NO_KEY = (401, "UNAUTHORIZED")


def with_host(app: App, host: bytes | None, path: str = "/v1/jobs/x", *, server: tuple[str, int] = LOOPBACK) -> Answer:
    return direct(app, "GET", path, headers=[] if host is None else [(b"host", host)], server=server)


# ---- Host

LOOPBACK_HOSTS = [
    b"localhost",
    b"localhost:8787",
    b"LOCALHOST",
    b"LocalHost:1",
    b"api.localhost",
    b"a.b.localhost:8787",
    b"127.0.0.1",
    b"127.0.0.1:8787",
    b"127.9.9.9",
    b"[::1]",
    b"[::1]:8787",
    b"[0:0:0:0:0:0:0:1]",
    b"[::ffff:127.0.0.1]",
]
OTHER_HOSTS = [
    None,
    b"",
    b":8787",
    b"evil.com",
    b"evil.com:8787",
    b"localhost@evil.com",
    b"evil.com@localhost",
    b"user:pass@localhost",
    b"localhost.evil.com",
    b"evil-localhost",
    b"xlocalhost",
    b".localhost.evil.com",
    b"localhost.",
    b"127.0.0.1.evil.com",
    b"127.0.0.1.nip.io",
    b"127.1",
    b"2130706433",
    b"0x7f.0.0.1",
    b"0177.0.0.1",
    b"127.0.0.01",
    b"0.0.0.0",
    b"0",
    b"10.0.0.5",
    b"192.168.1.1:8787",
    b"[::]",
    b"[::2]",
    b"[::1",
    b"::1",
    b"[]",
    b"[[::1]]",
    b"[localhost]",
    b"localhost:port",
    b"localhost:-1",
    b"localhost:99999",
    b"localhost:8787:8787",
    b"localhost/",
    b"localhost/../evil",
    b"localhost?",
    b"localhost#",
    b"localhost evil.com",
    b"localhost, evil.com",
    b"local\thost",
    b"localhost\x00",
    b"\xff",
    "ｌocalhost".encode(),
    "localhoſt".encode(),
    "①27.0.0.1".encode(),
    b"a" * 60_000,
    b"%6cocalhost",
    b"localhost;",
    b"http://localhost",
]


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_a_name_of_this_machine_passes(host: bytes) -> None:
    """Over loopback: loopback addresses, `localhost` and names below it, with any port and any capitals."""
    assert outcome(with_host(OPEN, host)) == PASSES


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_any_other_host_is_refused_and_never_a_crash(host: bytes | None) -> None:
    """403 `HOST_NOT_ALLOWED`: a name that a stranger's DNS may point at us (rebinding), or none that can be read."""
    answer = with_host(OPEN, host)

    assert outcome(answer) == WRONG_HOST
    assert "DUMMYLLM_ALLOWED_HOSTS" in answer.message
    assert answer.body.isascii() or b"\xc3" in answer.body


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz"])
def test_health_is_exempt_from_the_host_rule(host: bytes | None, path: str) -> None:
    """A probe of an orchestrator carries whatever Host it likes."""
    assert with_host(OPEN, host, path).status == 200


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=30), st.from_regex(rb"\A\[?[0-9a-f:.@lochst%]{0,20}\]?(:[0-9]{0,6})?\Z")))
def test_no_host_crashes_the_rule(host: bytes) -> None:
    """Whatever the header holds: passed or refused."""
    assert outcome(with_host(OPEN, host)) in (PASSES, WRONG_HOST)


@pytest.mark.parametrize(
    ("hosts", "host", "expected"),
    [
        ("llm.test", b"llm.test", PASSES),
        ("llm.test", b"LLM.test:8787", PASSES),
        ("llm.test", b"a.llm.test", WRONG_HOST),
        ("llm.test", b"llm.test.evil.com", WRONG_HOST),
        ("llm.test", b"localhost", PASSES),
        ("*.test", b"llm.test", PASSES),
        ("*.test", b"a.b.test:1", PASSES),
        ("*.test", b"test", WRONG_HOST),
        ("*.test", b"eviltest", WRONG_HOST),
        ("*.test", b"x.test.evil.com", WRONG_HOST),
        ("a.test, b.test", b"b.test", PASSES),
        ("a.test,,b.test,", b"c.test", WRONG_HOST),
        ("[2001:db8::1]", b"[2001:db8::1]:80", PASSES),
        ("10.0.0.5", b"10.0.0.5", PASSES),
        ("*", b"anything.example", PASSES),
        ("*", b"local host", WRONG_HOST),
        ("*", b"", WRONG_HOST),
    ],
)
@pytest.mark.parametrize("server", [LOOPBACK, ELSEWHERE])
def test_allowed_hosts_are_names_besides_the_loopback_ones(
    hosts: str, host: bytes, expected: tuple[int, str], server: tuple[str, int]
) -> None:
    """`DUMMYLLM_ALLOWED_HOSTS`: names, `*.test` for any below it, `*` for any; once set, it guards every address."""
    assert outcome(with_host(app_with(ALLOWED_HOSTS=hosts), host, server=server)) == expected


@pytest.mark.parametrize("server", [ELSEWHERE, ("2001:db8::1", 80), ("/run/dummyllm.sock", None)])
@pytest.mark.parametrize("host", [b"llm.example", b"10.0.0.5:80", b"evil.com", b""])
def test_any_host_will_do_on_an_address_that_is_not_loopback(server: tuple[str, int], host: bytes) -> None:
    """Elsewhere an unset list allows any Host: a container does not know its own name."""
    assert outcome(with_host(OPEN, host, server=server)) == PASSES


def test_a_server_that_does_not_know_its_address_still_answers() -> None:
    """`server` may be missing from an ASGI scope."""
    assert outcome(direct(OPEN, "GET", "/v1/jobs/x", server=None)) == PASSES


# ---- Origin

Headers = Iterable[tuple[bytes, bytes]]


def browser(*, host: bytes = b"localhost:8787", **headers: bytes) -> Headers:
    return [(b"host", host), JSON, *((name.replace("_", "-").encode(), value) for name, value in headers.items())]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (browser(), 201),
        (browser(origin=b"http://localhost:8787"), 201),
        (browser(origin=b"HTTP://LOCALHOST:8787"), 201),
        (browser(origin=b"http://localhost:8787", sec_fetch_site=b"same-origin"), 201),
        (browser(sec_fetch_site=b"same-origin"), 201),
        (browser(sec_fetch_site=b"none"), 201),
        (browser(origin=b"http://localhost:9999"), 403),
        (browser(origin=b"https://localhost:8787"), 403),
        (browser(origin=b"http://localhost"), 403),
        (browser(origin=b"http://evil.com"), 403),
        (browser(origin=b"http://localhost:8787.evil.com"), 403),
        (browser(origin=b"http://evil.com/localhost:8787"), 403),
        (browser(origin=b"null"), 403),
        (browser(origin=b""), 403),
        (browser(origin=b"\xff"), 403),
        (browser(origin=b"http://"), 403),
        (browser(origin=b"file://"), 403),
        (browser(origin=b"chrome-extension://abc"), 403),
        (browser(origin=b"x" * 60_000), 403),
        (browser(sec_fetch_site=b"cross-site"), 403),
        (browser(sec_fetch_site=b"same-site"), 403),
        (browser(sec_fetch_site=b"\xff"), 403),
        (browser(sec_fetch_site=b"cross-site", sec_fetch_mode=b"navigate", sec_fetch_dest=b"document"), 403),
    ],
)
@pytest.mark.parametrize("server", [LOOPBACK, ELSEWHERE])
def test_a_page_of_another_site_cannot_submit(headers: Headers, expected: int, server: tuple[str, int]) -> None:
    """A browser's request must come from a page of ours; a client without `Origin` (curl, a worker) passes."""
    answer = direct(OPEN, "POST", "/v1/jobs", GOOD, headers, server=server)

    assert answer.status == expected
    assert answer.code == (None if expected == 201 else "ORIGIN_NOT_ALLOWED")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_refused_page_has_no_effect() -> None:
    """The refusal comes before the job."""
    app = app_with()

    direct(app, "POST", "/v1/jobs", GOOD, browser(origin=b"http://evil.com"))

    assert app.backend.store.held().jobs == 0


@pytest.mark.parametrize("path", ["/openapi.json", "/__admin/journal", "/v1/jobs/x"])
def test_a_link_may_be_followed_but_not_embedded(path: str) -> None:
    """A link on another site's page opens; a frame, an image or a script from there does not."""
    link = browser(sec_fetch_site=b"cross-site", sec_fetch_mode=b"navigate", sec_fetch_dest=b"document")
    frame = browser(sec_fetch_site=b"cross-site", sec_fetch_mode=b"navigate", sec_fetch_dest=b"iframe")
    image = browser(sec_fetch_site=b"cross-site", sec_fetch_mode=b"no-cors", sec_fetch_dest=b"image")

    assert direct(OPEN, "GET", path, headers=link).status in (200, 404)
    assert outcome(direct(OPEN, "GET", path, headers=frame)) == WRONG_ORIGIN
    assert outcome(direct(OPEN, "GET", path, headers=image)) == WRONG_ORIGIN


PAGE = b"http://page.test"
CORS = app_with(CORS_ORIGINS="http://page.test, HTTPS://Other.test:3000", API_KEY="k")
PREFLIGHT = {"access_control_request_method": b"POST", "access_control_request_headers": b"content-type,authorization"}


@pytest.mark.parametrize("origin", [PAGE, b"https://other.test:3000"])
def test_a_listed_page_may_call_and_read(origin: bytes) -> None:
    """`DUMMYLLM_CORS_ORIGINS`: the preflight passes, without a key; then the request does, with one."""
    preflight = direct(CORS, "OPTIONS", "/v1/jobs", headers=browser(origin=origin, **PREFLIGHT))
    submit = direct(
        CORS, "POST", "/v1/jobs", GOOD, browser(origin=origin, x_api_key=b"k", sec_fetch_site=b"cross-site")
    )

    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == origin.decode()
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert submit.status == 201
    assert submit.headers["access-control-allow-origin"] == origin.decode()
    assert "access-control-allow-credentials" not in preflight.headers | submit.headers


@pytest.mark.parametrize("origin", [b"http://evil.com", b"http://page.test.evil.com", b"https://page.test", b"null"])
def test_an_unlisted_page_gets_no_cors_header_and_no_answer(origin: bytes) -> None:
    """Neither the preflight nor the request, and both are told so in the one error shape."""
    preflight = direct(CORS, "OPTIONS", "/v1/jobs", headers=browser(origin=origin, **PREFLIGHT))
    submit = direct(CORS, "POST", "/v1/jobs", GOOD, browser(origin=origin, x_api_key=b"k"))

    assert outcome(preflight) == outcome(submit) == WRONG_ORIGIN
    assert "access-control-allow-origin" not in preflight.headers | submit.headers


def test_a_preflight_keeps_the_host_rule() -> None:
    """Rebinding is refused before anything else is said."""
    headers = browser(host=b"evil.com", origin=PAGE, **PREFLIGHT)
    assert outcome(direct(CORS, "OPTIONS", "/v1/jobs", headers=headers)) == WRONG_HOST


@pytest.mark.parametrize("origin", [None, b"http://localhost:8787", PAGE])
def test_there_are_no_cors_headers_unless_they_are_asked_for(origin: bytes | None) -> None:
    """No CORS headers at all without `DUMMYLLM_CORS_ORIGINS`, on no route."""
    headers = browser() if origin is None else browser(origin=origin)
    for method, path in (("GET", "/health"), ("GET", "/v1/jobs/x"), ("POST", "/v1/jobs"), ("OPTIONS", "/v1/jobs")):
        answer = direct(OPEN, method, path, GOOD, headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")], (method, path)


# ---- the key

KEYED = app_with(API_KEY="s3cret!")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"authorization", b"Bearer s3cret!")], PASSES),
        ([(b"authorization", b"bearer s3cret!")], PASSES),
        ([(b"authorization", b"Bearer  s3cret! ")], PASSES),
        ([(b"x-api-key", b"s3cret!")], PASSES),
        ([(b"x-api-key", b"s3cret!"), (b"authorization", b"Basic eDp5")], PASSES),
        ([], NO_KEY),
        ([(b"authorization", b"")], NO_KEY),
        ([(b"authorization", b"Bearer")], NO_KEY),
        ([(b"authorization", b"Bearer ")], NO_KEY),
        ([(b"authorization", b"s3cret!")], NO_KEY),
        ([(b"authorization", b"Basic s3cret!")], NO_KEY),
        ([(b"authorization", b"Bearer S3CRET!")], NO_KEY),
        ([(b"authorization", b"Bearer s3cret")], NO_KEY),
        ([(b"authorization", b"Bearer s3cret!!")], NO_KEY),
        ([(b"authorization", b"Bearer \xff\x00")], NO_KEY),
        ([(b"authorization", b"Bearer " + b"a" * 60_000)], NO_KEY),
        ([(b"x-api-key", b"")], NO_KEY),
        ([(b"x-api-key", b"***")], NO_KEY),
        ([(b"x-api-key", b"\xe9")], NO_KEY),
        ([(b"cookie", b"api_key=s3cret!")], NO_KEY),
    ],
)
def test_a_key_is_taken_as_bearer_or_as_x_api_key(headers: Headers, expected: tuple[int, str]) -> None:
    """401 `UNAUTHORIZED` without it, with a challenge; and the key itself is in no answer."""
    answer = direct(KEYED, "GET", "/v1/jobs/x", headers=[(b"host", b"localhost"), *headers])

    assert outcome(answer) == expected
    assert answer.headers.get("www-authenticate") == ("Bearer" if expected == NO_KEY else None)
    assert b"s3cret" not in answer.body


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs/x/cancel", "/openapi.json", "/__admin/config", "/nope", "/"])
def test_a_key_guards_every_route_but_health(path: str) -> None:
    """`/health`, `/livez` and `/readyz` are exempt; nothing else is, not even what does not exist."""
    assert outcome(direct(KEYED, "GET", path)) == NO_KEY
    for exempt in ("/health", "/livez", "/readyz"):
        assert direct(KEYED, "GET", exempt).status == 200


def test_the_key_is_shown_nowhere() -> None:
    """`/__admin/config` shows it as stars."""
    config = direct(KEYED, "GET", "/__admin/config", headers=[(b"host", b"localhost"), (b"x-api-key", b"s3cret!")])

    assert config.status == 200
    assert b"s3cret" not in config.body
    row = next(row for row in config.json["settings"] if row["name"] == "DUMMYLLM_API_KEY")
    assert row["value"] == "***"


# ---- the operator's routes

READS = ["/__admin/config", "/__admin/journal", "/__admin/decisions"]


@pytest.mark.parametrize("path", READS)
def test_the_operators_reads_are_for_this_machine_or_for_the_key(path: str) -> None:
    """GETs are on for loopback, or with the key elsewhere; both ends of the connection count."""
    key = [(b"host", b"localhost"), (b"x-api-key", b"k")]
    keyed = app_with(API_KEY="k")

    assert direct(OPEN, "GET", path).status == 200
    assert direct(OPEN, "GET", path, server=("::1", 80), client=("::ffff:127.0.0.1", 5)).status == 200
    for server, client in ((ELSEWHERE, THERE), (ELSEWHERE, HERE), (LOOPBACK, THERE)):
        assert outcome(direct(OPEN, "GET", path, server=server, client=client)) == (403, "ADMIN_OFF")
        assert outcome(direct(keyed, "GET", path, server=server, client=client)) == NO_KEY
        assert direct(keyed, "GET", path, headers=key, server=server, client=client).status == 200


@pytest.mark.parametrize("admin", ["", "0", "off", "1", "on"])
def test_a_reset_needs_admin(admin: str) -> None:
    """POSTs need `DUMMYLLM_ADMIN=1`; with it a reset forgets every job."""
    app = app_with(ADMIN=admin)
    direct(app, "POST", "/v1/jobs", GOOD)

    answer = direct(app, "POST", "/__admin/reset")

    if admin in ("1", "on"):
        assert (answer.status, answer.json) == (200, {"ok": True})
        assert app.backend.store.held().jobs == 0
    else:
        assert outcome(answer) == (403, "ADMIN_OFF")
        assert "DUMMYLLM_ADMIN=1" in answer.message
        assert app.backend.store.held().jobs == 1


def test_a_reset_from_elsewhere_needs_the_key_too() -> None:
    """Admin is on, and still a stranger resets nothing."""
    key = [(b"host", b"localhost"), (b"x-api-key", b"k")]

    assert outcome(direct(app_with(ADMIN="1"), "POST", "/__admin/reset", client=THERE)) == (403, "ADMIN_OFF")
    assert outcome(direct(app_with(ADMIN="1", API_KEY="k"), "POST", "/__admin/reset", client=THERE)) == NO_KEY
    assert direct(app_with(ADMIN="1", API_KEY="k"), "POST", "/__admin/reset", headers=key, client=THERE).status == 200
    assert outcome(direct(app_with(API_KEY="k"), "POST", "/__admin/reset", headers=key)) == (403, "ADMIN_OFF")


def test_a_page_of_another_site_cannot_reset() -> None:
    """A form on any page can POST; the Origin it carries gives it away."""
    app = app_with(ADMIN="1")
    assert outcome(direct(app, "POST", "/__admin/reset", headers=browser(origin=b"http://evil.com"))) == WRONG_ORIGIN


@pytest.mark.parametrize(
    "query", [b"since=-1", b"since=x", b"limit=1e3", b"limit=10001", b"since=9999999999999999999", b"limit="]
)
def test_a_page_of_the_journal_that_cannot_be_is_422(query: bytes) -> None:
    """`since` and `limit` are whole numbers within bounds; the message names the one that is not."""
    answer = direct(OPEN, "GET", "/__admin/journal", query=query)

    assert outcome(answer) == (422, "INVALID_REQUEST")
    assert f"query.{query.partition(b'=')[0].decode()}" in answer.message


# ---- over a wire: what uvicorn lets through reaches the same rules


@pytest.mark.parametrize("stack", STACKS)
def test_the_rules_hold_over_a_wire(stack: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every odd Host over a real connection: refused, by uvicorn or by us, and the connection's next request works."""
    with served(tmp_path_factory.mktemp("access") / "stderr", *STACKS[stack]) as server:
        for host in OTHER_HOSTS:
            with Line(server.port) as line:
                field = b"" if host is None else b"host: " + host + b"\r\n"
                line.send(b"GET /v1/jobs/x HTTP/1.1\r\n" + field + b"\r\n")
                assert outcome(line.answer()) in (WRONG_HOST, (400, None)), host
        with Line(server.port) as line:
            for host in LOOPBACK_HOSTS:
                line.send(request("GET", "/v1/jobs/x", host=host.decode()))
                assert outcome(line.answer()) == PASSES
        server.stop()
        assert server.complaints() == ""
