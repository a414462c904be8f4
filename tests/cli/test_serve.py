"""`dummyllm serve`: announced when it answers, and ended by one Ctrl-C within two seconds, whoever is connected."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
from http.client import HTTPConnection
from time import monotonic
from urllib.request import urlopen

import pytest

from tests.cli.conftest import PATIENCE_S

END_S_MAX = 2


def health(url: str) -> dict:
    with urlopen(f"{url}/health", timeout=PATIENCE_S) as answer:
        return json.load(answer)


def test_the_url_is_the_only_line_on_standard_output(serve) -> None:
    """Scripts read it, and it answers from then on."""
    serving = serve(MODE="flaky", SEED="7")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", serving.url)
    assert (health(serving.url)["mode"], health(serving.url)["seed"]) == ("flaky", 7)
    said = serving.end()
    assert (said.status, said.out) == (0, "")


def test_the_banner_goes_to_standard_error(serve) -> None:
    """With the real port, and the call that was made to replay it."""
    serving = serve(SEED="7")
    lines = serving.end().err.splitlines()
    assert lines[0] == f"dummyLLM 0.3.1 at {serving.url}"
    assert "  replay  DUMMYLLM_SEED=7 dummyllm serve --port 0" in lines
    assert lines[-1] == "Ctrl-C ends it."


def test_the_line_to_try_works(serve) -> None:
    """A copied line posts a job: here its words are sent as curl would send them."""
    serving = serve()
    err = serving.process.stderr
    words = shlex.split(next(line for line in err if line.startswith("  try")))
    connection = HTTPConnection(*serving.address, timeout=PATIENCE_S)
    name, _, value = words[words.index("-H") + 1].partition(": ")
    connection.request("POST", words[3].removeprefix(serving.url), words[words.index("-d") + 1], {name: value})
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["state"]) == (201, "queued")
    connection.close()


def test_quiet_leaves_only_the_url(serve) -> None:
    """No banner, and no word at the end."""
    serving = serve("--quiet")
    health(serving.url)
    assert serving.end().err == ""


def test_requests_are_logged_when_asked_for(serve) -> None:
    """To standard error: standard output is the URL's."""
    serving = serve("--quiet", "--access-log")
    health(serving.url)
    said = serving.end()
    assert re.fullmatch(r'127\.0\.0\.1:\d+ "GET /health HTTP/1\.1" 200.*\n', said.err)
    assert said.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_end_on_purpose_is_status_0(serve, number: signal.Signals) -> None:
    """Ctrl-C at a terminal and SIGTERM from a supervisor are orders, not failures."""
    serving = serve("--quiet")
    said = serving.end(number)
    assert (said.status, said.out, said.err) == (0, "", "")


HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def seconds_to_end(serving) -> float:
    """Hold connections of every kind while the server is ended, and return how long that took."""
    idle = HTTPConnection(*serving.address, timeout=PATIENCE_S)
    payload = json.dumps({"op": "llm.chat", "args": {"messages": ["x" * 7_000_000]}})
    idle.request("POST", "/v1/jobs", payload, {"Content-Type": "application/json"})
    job = json.load(idle.getresponse())["id"]
    held = [socket.create_connection(serving.address, timeout=PATIENCE_S) for _ in range(20)]
    unread = f"GET /v1/jobs/{job} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    beginnings = [b"", HEAD[:30], HEAD % 100 + b'{"op":', unread]
    for place, client in enumerate(held):
        client.sendall(beginnings[place % len(beginnings)])
    for client in held[3::4]:
        assert client.recv(8) == b"HTTP/1.1"  # the answer is on its way, and nobody reads on

    start = monotonic()
    said = serving.end()
    took_s = monotonic() - start

    for client in (idle, *held):
        client.close()
    assert (said.status, said.out, said.err) == (0, "", "")
    return took_s


def test_one_ctrl_c_ends_it_while_clients_hold_connections(serve) -> None:
    """Silent, half a head, half a body, idle, megabytes of an answer not read: two seconds, and no traceback.

    On a machine that is busy with other tests one of three ends must be in time; of a server that waits none is.
    """
    ends_s = []
    while not ends_s or (min(ends_s) >= END_S_MAX and len(ends_s) < 3):
        ends_s.append(seconds_to_end(serve("--quiet", MODE="echo", LATENCY_MS="0")))
    assert min(ends_s) < END_S_MAX, ends_s


def test_half_a_body_is_told_that_the_server_goes(serve) -> None:
    """Who can still be answered gets 503 SHUTTING_DOWN."""
    serving = serve("--quiet")
    with socket.create_connection(serving.address, timeout=PATIENCE_S) as client:
        client.sendall(HEAD % 100 + b'{"op":')
        health(serving.url)
        assert serving.end().status == 0
        assert b"SHUTTING_DOWN" in b"".join(iter(lambda: client.recv(4096), b""))


def test_a_connection_that_says_nothing_is_closed(serve) -> None:
    """Under `dummyllm serve` RECEIVE_TIMEOUT_MS covers the whole request."""
    serving = serve("--quiet", RECEIVE_TIMEOUT_MS="100")
    with (
        socket.create_connection(serving.address, timeout=PATIENCE_S) as silent,
        socket.create_connection(serving.address, timeout=PATIENCE_S) as half,
    ):
        half.sendall(HEAD[:30])
        assert (silent.recv(1), half.recv(1)) == (b"", b"")
    health(serving.url)


def test_a_port_in_use_is_one_line(call) -> None:
    """Status 1: what is wrong and what to do; whoever has the port is unharmed."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = call("serve", "--port", str(port))
        with socket.create_connection(other.getsockname(), timeout=5):
            pass
    assert (said.status, said.out) == (1, "")
    assert said.err == (
        f"dummyllm: port {port} of 127.0.0.1 is in use; choose another with --port, or any free one with --port 0\n"
    )


def test_a_host_that_is_none_is_one_line(call) -> None:
    """Status 1, and no traceback of the resolver."""
    said = call("serve", "--host", "256.256.256.256")
    assert (said.status, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert said.err.startswith("dummyllm: cannot listen on '256.256.256.256': ")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none_is_said_with_the_other_mistakes(call, port: str) -> None:
    """All mistakes at once."""
    said = call("serve", "--port", port, MODE="nope")
    assert said.status == 2
    first, second = said.err.splitlines()
    assert first == f"dummyllm: --port {port} is no port; use 0 to 65535"
    assert second.startswith("dummyllm: DUMMYLLM_MODE='nope'")


WARNING = "other machines can reach this server, and it asks for no key"


@pytest.mark.parametrize(
    ("argv", "settings", "is_warned"),
    [
        (["--host", "0.0.0.0"], {}, True),
        (["--host", "0.0.0.0", "--quiet"], {}, True),
        (["--host", "0.0.0.0"], {"API_KEY": "hush-hush"}, False),
        (["--host", "127.0.0.1"], {}, False),
    ],
)
def test_an_open_door_is_warned_of(serve, argv: list[str], settings: dict[str, str], is_warned) -> None:
    """Beyond loopback without a key: a line in the banner, and without a banner too."""
    err = serve(*argv, **settings).end().err
    assert (WARNING in err) is is_warned
    assert "hush" not in err


def test_the_server_of_all_interfaces_answers_at_the_url_it_gives(serve) -> None:
    """The Host rule lets its own URL in."""
    serving = serve("--host", "0.0.0.0")
    with urlopen(f"{serving.url}/__admin/config", timeout=PATIENCE_S) as answer:
        assert answer.status == 200
