"""ONE table of everything an operator can set: parsing, `--help`, the docs page and `/__admin/config` read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from dummyllm import chaos_values as chaos
from dummyllm import setting_values as read
from dummyllm.core.fingerprint import IdentityKind
from dummyllm.core.latency import parse_shape
from dummyllm.core.mode import Mode
from dummyllm.presets import PRESETS
from dummyllm.rules_file import rules
from dummyllm.setting_values import ElizaOrder, Unknown
from dummyllm.verdict.limits import MEANINGS, Limits
from dummyllm.verdict.same import Same

PREFIX = "DUMMYLLM_"
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: *parse* raises ValueError with the rest of a sentence that begins `NAME='text' …`."""

    name: str
    default: str
    allowed: str
    help: str
    parse: Callable[[str], object]
    is_secret: bool = False
    is_limit: bool = False  # one of the verdict's numbers

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return PREFIX + self.name


_FIRST = (
    Setting("MODE", "ok", ", ".join(Mode), "what befalls every job", read.one_of(Mode, "a mode")),
    Setting(
        "RANDOM_WEIGHTS",
        "ok=70,echo=10,slow=10,fail=5,hang=3,timeout=2,flaky=0",
        "mode=weight, each a whole number from 0",
        "how often mode random picks each mode; a mode not named gets 0, and if all are 0 every job is ok",
        read.weights,
    ),
    Setting(
        "LATENCY_MS", "250", f"0 to {DAY_MS}", "base latency of a job, in milliseconds", read.whole(0, DAY_MS, "ms")
    ),
    Setting(
        "LATENCY_SHAPE",
        "fixed",
        "fixed, uniform(0.5,1.5), lognormal(p99=8)",
        "how far the latency of a job may lie from the base: factors of it, by a draw of its own",
        parse_shape,
    ),
    Setting(
        "SCRIPT",
        "",
        "steps such as fail,fail,ok or submit.status(503)*2,ok",
        "what befalls the same work time after time; the last step repeats, and nothing is left to chance",
        chaos.script,
    ),
    Setting("RULES", "", "a path", "a TOML file of rules: the first that matches a request decides", rules),
    Setting(
        "FAULTS",
        "",
        "fault=percent, comma between; docs/faults.md lists them",
        "what else goes wrong, and in how many of a hundred cases",
        chaos.faults,
    ),
    Setting(
        "SWARM",
        "0",
        "1 or 0",
        "whether the seed leaves out about half of the faults; without DUMMYLLM_FAULTS, of all there are, at 5 % each",
        read.switch,
    ),
    Setting(
        "PRESET",
        "",
        ", ".join(PRESETS),
        "a named bundle of settings; whatever is set beside it wins",
        read.preset,
    ),
    Setting(
        "REPLAY",
        "",
        "a path",
        "a file that `dummyllm record` wrote: just those faults, and no chance",
        chaos.replay,
    ),
    Setting(
        "SLOTS",
        "0",
        "0 to 1000000",
        "jobs that run at once; the others wait queued; 0 is all",
        read.whole(0, 10**6, "slots"),
    ),
    Setting(
        "QUEUE_MAX",
        "0",
        "0 to 100000000",
        "jobs that may wait for a slot before a submit gets 503; 0 is any number",
        read.whole(0, 10**8, "jobs"),
    ),
    Setting(
        "CLOCK",
        "wall",
        ", ".join(chaos.CLOCKS),
        "which time it is: the wall's, faster, one that moves when a job is read, or one that is moved by hand",
        chaos.clock,
    ),
    Setting(
        "SEED", "1337", "a whole number, at most 60 digits", "chooses among all stories this server can tell", read.seed
    ),
    Setting(
        "IDENTITY",
        "payload",
        ", ".join(IdentityKind),
        "what counts as the same work: op and args; op, model and messages; or op and trace_id",
        read.one_of(IdentityKind, "an identity"),
    ),
    Setting(
        "ELIZA",
        "seeded",
        ", ".join(ElizaOrder),
        "whether the seed chooses where each cycle of replies starts, or the first entry does, as in 1966",
        read.one_of(ElizaOrder, "an order"),
    ),
    Setting("ELIZA_FILE", "", "a path", "a script in the 1966 format, instead of our own", read.eliza_file),
    Setting("ADMIN", "0", "1 or 0", "whether POST under /__admin/ works", read.switch),
    Setting(
        "API_KEY",
        "",
        "1 to 256 visible ASCII characters",
        "the key that clients must send, as Authorization: Bearer or as x-api-key",
        read.key,
        is_secret=True,
    ),
    Setting(
        "ALLOWED_HOSTS",
        "",
        "host names, comma between; * is any",
        "names besides the loopback ones that a Host header may carry",
        read.hosts,
    ),
    Setting("CORS_ORIGINS", "", "origins, comma between", "web origins whose pages may call this server", read.origins),
    Setting(
        "UNKNOWN",
        "refuse",
        ", ".join(Unknown),
        "whether a payload with an unknown member is refused, or the member is ignored and journaled",
        read.one_of(Unknown, "an answer to unknown members"),
    ),
    Setting("MAX_BODY_BYTES", "8MiB", "1024 to 1GiB", "the longest body a request may have", read.size(1024, 2**30)),
    Setting(
        "JOBS_MAX", "1000000", "1 to 100000000", "jobs held; finished ones leave first", read.whole(1, 10**8, "jobs")
    ),
    Setting(
        "STORE_MAX_BYTES",
        "1GiB",
        "1024 to 1024GiB",
        "bytes held: payloads, and 800 for each job; finished jobs leave first",
        read.size(1024, 2**40),
    ),
    Setting(
        "JOURNAL", "", "a path", "also write the journal into this file, a line of JSON for each entry", read.new_file
    ),
    Setting("JOURNAL_MAX", "100000", "1 to 100000000", "journal entries kept", read.whole(1, 10**8, "entries")),
    Setting(
        "RECEIVE_TIMEOUT_MS",
        "15000",
        f"100 to {DAY_MS}",
        "how long a request may take to arrive: its body, and under `dummyllm serve` the whole of it",
        read.whole(100, DAY_MS, "ms"),
    ),
)

VERDICTS = (
    Setting(
        "VERDICT",
        "",
        "print, or the path of a file: .json, .xml, .md or anything else",
        "what becomes of the verdict when the server ends: printed, or written as JSON, JUnit, Markdown or text",
        read.verdict_target,
    ),
    Setting(
        "VERDICT_IDENTITY",
        "auto",
        ", ".join(Same),
        "what makes two submits the same work to the verdict",
        read.one_of(Same, "an identity of the verdict"),
    ),
    Setting(
        "VERDICT_EXPECT",
        "",
        "a path",
        "a file of the payloads that the runner was asked to send, one submit body a line",
        chaos.expected,
    ),
    *(
        Setting(
            f"VERDICT_{field.name.upper()}",
            "" if field.default is None else str(field.default),
            "0 to 1000000000",
            MEANINGS[field.name],
            read.whole(0, 10**9, "ms" if field.name.endswith("_ms") else "this kind"),
            is_limit=True,
        )
        for field in fields(Limits)
    ),
)

SETTINGS = (*_FIRST, *VERDICTS)
