"""Who may import whom. The table below is the architecture; the code is read, not run, to hold it to the table.

A part is a module or package directly under `dummyllm`. A new part needs a row here and one in ARCHITECTURE.md.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import environment

PACKAGE = Path(__file__).parent.parent / "dummyllm"
MODULES = {
    path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}

# What each part may import of ours, besides itself. `*` marks the parts that join things.
MAY_IMPORT = {
    "core": set(),
    "eliza": set(),
    "clock": set(),
    "journal": {"core"},
    "store": {"core"},
    "replies": {"core", "eliza"},
    "backend": {"core", "replies", "store", "journal", "clock"},
    "journal_line": {"core", "journal"},
    "journal_file": {"journal", "journal_line"},
    "verdict": {"core", "journal", "journal_line"},
    "presets": set(),
    "setting_values": {"core", "eliza", "presets"},
    "chaos_values": {"core", "setting_values", "verdict"},
    "rules_file": {"core", "setting_values", "chaos_values"},
    "setting_rows": {"core", "setting_values", "chaos_values", "rules_file", "presets", "verdict"},
    "settings": {"core", "eliza", "setting_values", "chaos_values", "rules_file", "setting_rows", "presets", "verdict"},
    "trial": {"backend", "journal_line", "settings", "verdict", "__version__"},
    "recording": {"core", "backend", "journal"},
    "web": {
        "recording",
        "clock",
        "core",
        "backend",
        "settings",
        "setting_values",
        "journal",
        "journal_line",
        "journal_file",
        "trial",
        "verdict",
        "store",
        "replies",
        "__version__",
    },
    "assembly": {"*"},
    "asgi": {"*"},
    "cli": {"*"},
    "testing": {"*"},
    "pytest_plugin": {"*"},
    "__main__": {"*"},
}
JOINERS = {part for part, allowed in MAY_IMPORT.items() if "*" in allowed}

EFFECTS = {"time", "random", "os", "asyncio", "logging"}
HTTP = {"starlette", "uvicorn", "httptools", "uvloop", "http", "socket"}
NAMES_FOR_NOTHING = {"utils", "helpers", "common", "manager", "data", "info", "misc", "util", "helper", "managers"}
LINES_MAX = 250


def part_of(module: str) -> str:
    """Return the part that *module* belongs to: `core` for `dummyllm.core.fate`, `` for `dummyllm` itself."""
    return module.partition(".")[2].partition(".")[0]


def imports_of(module: str) -> Iterator[str]:
    """Yield the full name of everything that *module* imports, wherever in the file it does."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively in line {node.lineno}; write the full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_part_has_a_row() -> None:
    """A new idea gets a row before it gets a module."""
    assert {part_of(module) for module in MODULES} - {""} <= set(MAY_IMPORT)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_part_may(module: str) -> None:
    """The direction of imports: core and eliza know nothing of ours, and only a few parts join things."""
    part = part_of(module)
    allowed = MAY_IMPORT.get(part, set()) | {part}
    ours = {part_of(name) for name in imports_of(module) if name.startswith("dummyllm.")}

    assert "*" in allowed or ours <= allowed, f"{module} imports {sorted(ours - allowed)} of ours"


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) not in JOINERS])
def test_nobody_imports_those_who_join_things(module: str) -> None:
    """The rim knows the middle, and the middle does not know the rim."""
    assert not {part_of(name) for name in imports_of(module) if name.startswith("dummyllm.")} & JOINERS


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) in ("core", "eliza")])
def test_the_core_has_no_effects(module: str) -> None:
    """`core` and `eliza` never import `time`, `random`, `os`, `asyncio`, `logging`."""
    assert not {name.partition(".")[0] for name in imports_of(module)} & EFFECTS


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) not in {"web", *JOINERS}])
def test_only_the_web_package_knows_http(module: str) -> None:
    """The only package that knows HTTP, besides the parts that start it."""
    assert not {name.partition(".")[0] for name in imports_of(module)} & HTTP


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) == "web"])
def test_the_web_package_sees_no_particular_store(module: str) -> None:
    """What is raised is known to all; where jobs are kept is the backend's business."""
    assert not [name for name in imports_of(module) if re.match(r"dummyllm\.store\.[a-z]", name)]


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) not in {"asgi", "cli", "__main__"}])
def test_the_environment_is_a_parameter(module: str) -> None:
    """Importing has no effects: only the modules that start the program read `os.environ`."""
    reads = [
        node.lineno
        for node in ast.walk(TREES[module])
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and {"environ", "getenv"} & {*_names(node)})
    ]

    assert not reads


def _names(node: ast.ImportFrom) -> Iterator[str]:
    return (alias.name for alias in node.names)


FETCHED = "import sys, dummyllm.asgi; print(*sorted(sys.modules))"


def fetched(**settings: str) -> set[str]:
    """Return the modules that are there once a server with these *settings* is ready to start."""
    command = [sys.executable, "-c", FETCHED]
    ended = subprocess.run(
        command, cwd=PACKAGE.parent, env=environment(**settings), capture_output=True, text=True, check=True
    )
    return {*ended.stdout.split()}


def test_a_server_without_faults_starts_without_them() -> None:
    """Faults are two dozen modules, and a reader of TOML takes as long as our settings: who has none waits for none."""
    modules = fetched(MODE="random")

    assert "dummyllm.core.submit" in modules
    assert not [module for module in modules if module.startswith("dummyllm.core.faults")]
    assert not modules & {"dummyllm.core.script", "dummyllm.core.rules", "dummyllm.core.replay", "dummyllm.core.twist"}
    assert not modules & {"dummyllm.core.grammar", "tomllib", "statistics"}


@pytest.mark.parametrize(
    ("settings", "module"),
    [
        ({"FAULTS": "run.late=5"}, "dummyllm.core.faults.registry"),
        ({"SCRIPT": "ok"}, "dummyllm.core.script"),
        ({"PRESET": "bad-day"}, "dummyllm.core.faults.drawn"),
    ],
)
def test_a_server_with_faults_fetches_them_before_it_starts(settings: dict[str, str], module: str) -> None:
    """No submit waits for a module."""
    assert {module, "dummyllm.core.twist"} <= fetched(**settings)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_one_idea_of_at_most_250_lines(module: str) -> None:
    """Aim at modules of 40 to 150 lines."""
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())

    assert lines <= LINES_MAX, f"{module} has {lines} lines; which of its ideas wants a module of its own?"


def test_no_module_is_named_for_nothing() -> None:
    """There is no `utils`, `helpers`, `common`, `manager`, `data` or `info`: there, ideas without a name get lost."""
    assert not [module for module in MODULES if {*re.split(r"[._]", module)} & NAMES_FOR_NOTHING]


@pytest.mark.parametrize("module", [module for module, tree in TREES.items() if "__all__" in ast.dump(tree)])
def test_the_public_names_of_a_module_are_sorted_and_complete(module: str) -> None:
    """A sorted `__all__`, and a test that it is complete."""
    listed = _listed(TREES[module])

    assert listed == sorted(listed)
    assert set(listed) == {name for name in _bound(TREES[module]) if not name.startswith("_") or name == "__version__"}


def test_the_package_says_what_is_public() -> None:
    """`dummyllm/__init__.py` has a sorted `__all__`."""
    assert "__version__" in _listed(TREES["dummyllm"])


def _listed(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [*map(ast.unparse, node.targets)] == ["__all__"]:
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise AssertionError("there is no __all__")


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if (isinstance(node, ast.ImportFrom) and node.module != "__future__") or isinstance(node, ast.Import):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
