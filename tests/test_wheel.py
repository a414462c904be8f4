"""The wheel installs into an empty environment, and serves and chats from there."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.live import ROOT, environment

PATIENCE_S = 240


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("dummyllm-*.whl")
    return path


def test_the_wheel_has_what_it_needs_and_no_module_called_server(wheel: Path) -> None:
    """`server.py` stays in the checkout: a wheel must not own a top-level module of that name."""
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}

    assert {name for name in top if not name.endswith(".dist-info")} == {"dummyllm"}
    assert "dummyllm/eliza/listener.eliza" in names
    assert "dummyllm/py.typed" in names


def test_the_wheel_serves_and_chats_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Installed with its dependencies and nothing else, away from the checkout."""
    place = tmp_path / "empty"
    venv.create(place, with_pip=True)
    python, program = place / "bin" / "python", place / "bin" / "dummyllm"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    installed = subprocess.run(install, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert installed.returncode == 0, installed.stderr

    serve = [str(program), "serve", "--port", "0", "--quiet"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment()) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:
                assert b'"ok":true' in answer.read()
        finally:
            server.terminate()

    talk = subprocess.run(
        [str(program), "chat"],
        input="Hello\n",
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
    )
    assert "eliza> " in talk.stdout
