"""`dummyllm chat`: talk to a running server through its HTTP, or to one inside this process."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

import pytest

from dummyllm import eliza
from dummyllm.cli.chat import PROMPT
from dummyllm.cli.partner import AwayError, Message, TroubleError
from dummyllm.cli.remote import Remote
from tests.cli.conftest import PATIENCE_S, ROOT, environment
from tests.live import serve as live

GREETING = eliza.reply(eliza.own_script(), [], seed=1337)
TALK = ["Hello", "I am sad", "My mother does not listen to me", "Perhaps"]


def lines_of(call, *lines: str, argv: tuple[str, ...] = (), **settings: str) -> list[str]:
    said = call("chat", *argv, typed="".join(f"{line}\n" for line in lines), **settings)
    assert (said.status, said.err) == (0, "")
    return said.out.splitlines()


def replies_to(talk: list[str], seed: int | None) -> list[str]:
    return [eliza.reply(eliza.own_script(), talk[: place + 1], seed=seed) for place in range(len(talk))]


def test_a_piped_talk_reads_like_a_transcript(call) -> None:
    """A greeting, and then every line with its reply; the end of the input ends it."""
    expected = [f"eliza> {GREETING}"]
    for line, reply in zip(TALK, replies_to(TALK, 1337), strict=True):
        expected += [f"you> {line}", f"eliza> {reply}"]
    assert lines_of(call, *TALK) == expected


def test_nothing_said_is_answered_with_a_greeting(call) -> None:
    """An empty input ends with status 0."""
    assert lines_of(call) == [f"eliza> {GREETING}"]


@pytest.mark.parametrize("seed", ["7", "-7"])
def test_the_seed_chooses_the_replies(call, seed: str) -> None:
    """`--seed` is `DUMMYLLM_SEED`, for this once."""
    said = lines_of(call, *TALK, argv=("--seed", seed), SEED="1")
    assert said[2::2] == [f"eliza> {reply}" for reply in replies_to(TALK, int(seed))]
    assert said == lines_of(call, *TALK, SEED=seed)


def test_classic_order_is_that_of_1966(call) -> None:
    """`DUMMYLLM_ELIZA=classic`: every cycle starts at its first entry, whatever the seed."""
    assert lines_of(call, *TALK, ELIZA="classic")[2::2] == [f"eliza> {reply}" for reply in replies_to(TALK, None)]


def test_a_server_says_the_same(call) -> None:
    """A talk over HTTP is, word for word, the talk without a server."""
    with live(LATENCY_MS="0", SEED="7") as server:
        remote = lines_of(call, *TALK, argv=("--url", server.url))
        by_default = lines_of(call, *TALK, URL=server.url + "/")
        with urlopen(f"{server.url}/__admin/journal", timeout=10) as answer:
            entries = json.load(answer)["entries"]
    assert remote == by_default
    assert remote[2::2] == lines_of(call, *TALK, argv=("--seed", "7"))[2::2]
    submits = [entry for entry in entries if entry["what"] == "submit"]
    assert (len(submits), {entry["user_agent"] for entry in submits}) == (2 * len(TALK), {"dummyllm-chat"})


def test_a_line_gets_the_text_that_any_client_gets(call) -> None:
    """The embedded server takes the standard payload through the real backend; here it is posted by hand."""
    args = {"model": "eliza", "messages": [{"role": "user", "content": "I am sad"}]}
    body = json.dumps({"op": "llm.chat", "args": args}).encode()
    with live(LATENCY_MS="0") as server:
        with urlopen(
            Request(f"{server.url}/v1/jobs", body, {"Content-Type": "application/json"}), timeout=10
        ) as answer:
            job = json.load(answer)["id"]
        with urlopen(f"{server.url}/v1/jobs/{job}", timeout=10) as answer:
            text = json.load(answer)["result"]["text"]
    assert lines_of(call, "I am sad")[-1] == f"eliza> {text}"


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("fail", "the job ended in fail, SIM_FAIL: the job failed because its fate said so"),
        ("timeout", "the job ended in timeout, TIMEOUT: the server gave up on the job"),
        ("hang", "no answer: the job hangs, and would for ever"),
    ],
)
def test_trouble_is_told_and_the_talk_goes_on(call, mode: str, reason: str) -> None:
    """A fate is no error of this program."""
    assert lines_of(call, "Hello", "Hello", MODE=mode)[1:] == ["you> Hello", f"  | {reason}"] * 2


def test_echo_repeats_the_whole_conversation(call) -> None:
    """What is sent is every message so far, and what came of it."""
    said = lines_of(call, "a", "b", MODE="echo")
    first = '[{"role":"user","content":"a"}]'
    assert said[2] == f"eliza> {first}"
    assert json.loads(said[4].removeprefix("eliza> ")) == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "b"},
    ]


def test_a_line_that_nobody_answered_was_not_said(call) -> None:
    """Saying it again is a retry of the very same job, and so has the next fate of that job."""
    lines = lines_of(call, *["Hello"] * 12, MODE="flaky")[1:]
    first_reply = next(place for place, line in enumerate(lines) if line.startswith("eliza> "))
    assert first_reply > 1, "this seed should fail the first time"
    assert lines[first_reply] == f"eliza> {replies_to(['Hello'], 1337)[0]}"


def test_trace_shows_why(call) -> None:
    """`/trace` switches on, and off again; the turn that it shows ends in the reply."""
    on, trace, off = (
        lines_of(call, *lines) for lines in (["/trace"], ["/trace", "I am sad"], ["/trace", "/trace", "I am sad"])
    )
    assert on[-1] == "  | the trace is on"
    assert trace[4].startswith("  | turn 1, LIMIT 2, ")
    assert trace[-2].endswith(f": {trace[-1].removeprefix('eliza> ')}")
    assert "  | the trace is off" in off
    assert not any("turn 1" in line for line in off)


def test_trace_works_with_a_server_in_either_order(call) -> None:
    """Over HTTP the trace is recomputed here, and shown only if it ends in the very reply that came."""
    for order in ("seeded", "classic"):
        with live(LATENCY_MS="0", SEED="7", ELIZA=order) as server:
            remote = lines_of(call, "/trace", "I am sad", argv=("--url", server.url))
        assert remote[1:] == lines_of(call, "/trace", "I am sad", SEED="7", ELIZA=order)[1:]


def test_a_reply_that_is_not_elizas_has_no_trace(call) -> None:
    """Better none than a wrong one."""
    assert "  | no trace: this reply is not of our own script" in lines_of(call, "/trace", "Hello", MODE="echo")


def test_new_starts_over(call) -> None:
    """After `/new` nothing was said before."""
    assert lines_of(call, "My mother is here", "Hello", "/new", "Hello")[-1] == lines_of(call, "Hello")[-1]


def test_help_lists_the_commands_and_the_unknown_points_there(call) -> None:
    """`/help`, and what to do about `/hlep`."""
    said = lines_of(call, "/help", "/hlep")
    assert [line.split()[1] for line in said[2:6]] == ["/trace", "/new", "/help", "/quit"]
    assert said[-1] == "  | there is no /hlep; /help lists what there is"


def test_quit_ends_before_the_input_does(call) -> None:
    """`/quit` is status 0, and what follows is not read."""
    assert lines_of(call, "/quit", "Hello") == [f"eliza> {GREETING}", "you> /quit"]


def test_an_empty_line_is_no_message(call) -> None:
    """Nothing is said, so nothing is answered."""
    assert lines_of(call, "", "  ", "Hello")[1:4] == ["you>", "you>", "you> Hello"]


def test_a_line_cannot_move_the_cursor(call) -> None:
    """What was piped in is written out in a form that does nothing to the terminal."""
    assert lines_of(call, "\x1b[2J")[1] == "you> \\x1b[2J"


@pytest.mark.parametrize(
    "url", ["localhost:8787", "ftp://localhost", "http://", "http://localhost:port", "http://a b", ""]
)
def test_an_url_that_is_none_is_a_wrong_call(call, url: str) -> None:
    """Status 2, and what an URL looks like."""
    said = call("chat", "--url", url)
    assert (said.status, said.out) == (2, "")
    assert said.err == f"dummyllm: --url={url!r} is no URL of a server; use one such as http://127.0.0.1:8787\n"


def test_a_seed_for_a_server_elsewhere_is_a_wrong_call(call) -> None:
    """The seed of a running server is its own; both mistakes are said."""
    said = call("chat", "--seed", "7", URL="nowhere")
    assert said.status == 2
    assert [line.partition(" ")[2].partition(" ")[0] for line in said.err.splitlines()] == [
        "--seed=7",
        "DUMMYLLM_URL='nowhere'",
    ]


def test_no_server_is_status_1(call) -> None:
    """One line: where nobody answers, why, and what starts a server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = call("chat", "--url", f"http://127.0.0.1:{port}")
    assert (said.status, said.out) == (1, "")
    assert re.fullmatch(
        rf"dummyllm: no server answers at http://127\.0\.0\.1:{port} \(.+\); dummyllm serve starts one\n", said.err
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"hello"), (200, b"{}"), (200, b"[]"), (404, b"<h1>Not found</h1>"), (500, b'{"detail":1}')],
)
def test_a_server_of_another_kind_is_status_1(call, status: int, body: bytes) -> None:
    """Whatever it answers, one line says that it is no dummyLLM."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        said = call("chat", "--url", f"http://127.0.0.1:{server.server_port}")
        thread.join(timeout=10)
    assert (said.status, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert re.match(r"dummyllm: what answers at http://127\.0\.0\.1:\d+ is no dummyLLM", said.err)


def test_a_wrong_path_of_a_server_is_told_in_its_words(call) -> None:
    """The URL ends where `/v1/jobs` begins."""
    with live() as server:
        said = call("chat", "--url", f"{server.url}/v1")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("dummyllm: refused, NOT_FOUND: ")


def test_the_key_is_sent(call) -> None:
    """With `DUMMYLLM_API_KEY` the talk works; without it the refusal is told, and the key in neither case."""
    with live(LATENCY_MS="0", API_KEY="hush-hush") as server:
        with_key = call("chat", "--url", server.url, typed="Hello\n", API_KEY="hush-hush")
        without = call("chat", "--url", server.url, typed="Hello\n")
    assert (with_key.status, len(with_key.out.splitlines())) == (0, 3)
    assert without.status == 1
    assert "refused, UNAUTHORIZED: " in without.err
    assert "hush" not in with_key.out + with_key.err + without.out + without.err


def test_a_proxy_for_the_web_is_not_asked(call, monkeypatch) -> None:
    """`http_proxy` would send a talk with this machine elsewhere."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with live(LATENCY_MS="0") as server:
        assert len(lines_of(call, "Hello", argv=("--url", server.url))) == 3


HELLO = [Message("user", "Hello")]


def test_a_job_that_is_late_is_cancelled() -> None:
    """The deadline is the client's to keep: after it the job is cancelled, and that is what is told."""
    with live(MODE="hang") as server:
        with pytest.raises(TroubleError) as late:
            Remote(server.url, "", timeout_ms=50).answer(HELLO)
        with urlopen(f"{server.url}/__admin/journal", timeout=10) as answer:
            whats = [entry["what"] for entry in json.load(answer)["entries"]]
    assert str(late.value) == "no answer within 50 ms; the job was cancelled and is now cancelled"
    assert (whats[0], whats[1], whats[-1]) == ("submit", "poll", "cancel")


def test_a_server_that_goes_ends_the_talk() -> None:
    """What nobody can answer is not tried again."""
    with live() as server:
        remote = Remote(server.url, "")
        server.stop()
        with pytest.raises(AwayError, match="no server answers"):
            remote.answer(HELLO)


def test_a_refusal_is_told_in_the_servers_words() -> None:
    """A full server is trouble, not an end."""
    with live(MODE="hang", JOBS_MAX="1") as server:
        remote = Remote(server.url, "", timeout_ms=10)
        body = b'{"op":"llm.chat"}'
        urlopen(Request(f"{server.url}/v1/jobs", body, {"Content-Type": "application/json"}), timeout=10).close()
        with pytest.raises(TroubleError, match="refused, FULL: every place is taken"):
            remote.answer(HELLO)


class Typist:
    """Somebody at a terminal."""

    def __init__(self, *argv: str) -> None:
        self._screen, tty = pty.openpty()
        self.seen = ""
        self.has_gone = False
        command = [sys.executable, "-m", "dummyllm", "chat", *argv]
        env = environment() | {"TERM": "dumb"}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=tty, stdout=tty, stderr=tty, start_new_session=True,
            preexec_fn=self._take_the_terminal,  # noqa: PLW1509  # one call of the system, waiting for no thread
        )  # fmt: skip
        os.close(tty)

    @staticmethod
    def _take_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def see(self, text: str) -> None:
        """Wait until *text* is on the screen."""
        while text not in self.seen:
            assert self._look(), f"{text!r} was never seen:\n{self.seen}"

    def type(self, keys: str) -> None:
        os.write(self._screen, keys.encode())

    def end(self, keys: str) -> int:
        """Type *keys*, wait until the program has gone, and return its status.

        They are typed again each second: readline does not notice a Ctrl-C in the instant before it begins to wait.
        """
        for _ in range(PATIENCE_S):
            self.type(keys)
            while self._look(patience_s=1):
                pass
            if self.process.poll() is not None or self.has_gone:
                break
        try:
            return self.process.wait(timeout=PATIENCE_S)
        finally:
            self.process.kill()
            os.close(self._screen)  # not before: a terminal that goes away hangs up on who is still leaving

    def _look(self, patience_s: float = PATIENCE_S) -> bool:
        ready, _, _ = select.select([self._screen], [], [], patience_s)
        try:
            data = os.read(self._screen, 4096) if ready else b""
        except OSError:  # the program has gone
            data = b""
            self.has_gone = True
        self.seen += data.decode()
        return bool(data)


@pytest.mark.parametrize(
    ("keys", "status"), [("\x04", 0), ("/quit\n", 0), ("\x03", 130)], ids=["Ctrl-D", "quit", "Ctrl-C"]
)
def test_at_a_terminal_there_are_prompts_and_quiet_ends(keys: str, status: int) -> None:
    """Ctrl-D and /quit are status 0, Ctrl-C is 130; none is a traceback."""
    typist = Typist()
    typist.see("you> ")
    typist.type("Hello\n")
    typist.see(
        f"eliza> {replies_to(['Hello'], 1337)[0]}\r\n{PROMPT}"
    )  # not before: keys typed between prompts get lost
    assert typist.end(keys) == status
    assert typist.seen.startswith(
        "dummyLLM 0.3.1: an embedded server, mode ok, seed 1337. /help lists what else there is."
    )
    assert "Traceback" not in typist.seen


def test_ctrl_c_ends_a_wait_for_a_job(spawn) -> None:
    """A job that hangs does not hold its user."""
    with live(MODE="hang") as server:
        process = spawn("chat", "--url", server.url)
        process.stdin.write("Hello\n")
        process.stdin.flush()
        assert [process.stdout.readline().partition(" ")[0] for _ in range(2)] == ["eliza>", "you>"]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 130


def test_input_that_is_not_utf_8_is_no_traceback() -> None:
    """What cannot be read is taken as a mark for that."""
    done = subprocess.run(
        [sys.executable, "-m", "dummyllm", "chat"],
        cwd=ROOT, env=environment(), input=b"\xff\xfe\n", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_server_that_refuses_for_ever_gives_no_answer(call) -> None:
    """A script may refuse every submit; the talk goes on and says so."""
    said = call("chat", typed="Hello\n", SCRIPT="submit.status(503)")

    assert said.status == 0
    assert "no answer: every submit is refused, by a script or by a fault" in said.out


@pytest.mark.parametrize("fault", ["submit.lost_ack", "submit.reset", "submit.cut_ack", "submit.status(502,body=html)"])
def test_an_answer_that_got_lost_does_not_end_the_talk(call, fault: str) -> None:
    """The server is there, so the line can be said again, and is a retry."""
    with live(SCRIPT=f"{fault},ok", LATENCY_MS="0") as server:
        said = call("chat", "--url", server.url, typed="Hello\nHello\n")

    assert said.status == 0
    assert said.out.count("  | no answer that can be read, though the server is there; to say it again is a retry") == 1
    assert said.out.splitlines()[-1] == "eliza> Hello. Pull up a chair. What is the matter?"


def test_a_state_that_nobody_documented_is_waited_out(call) -> None:
    """As long as there is nothing to show, a job is under way."""
    with live(SCRIPT="ok+poll.unknown_state", LATENCY_MS="0") as server:
        said = call("chat", "--url", server.url, typed="Hello\n")

    assert (said.status, said.out.splitlines()[-1]) == (0, "eliza> Hello. Pull up a chair. What is the matter?")
