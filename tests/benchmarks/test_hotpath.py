from __future__ import annotations

import pytest

from benchmarks.hotpath import main


def test_the_hot_path_of_any_app_can_be_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for a POST and one for a GET, in microseconds; with `--profile` also where they went."""
    assert main(["benchmarks.floor:app", "--posts", "20", "--gets", "20", "--profile"]) == 0

    printed = capsys.readouterr().out
    assert [part for part in ("POST /v1/jobs", "GET /v1/jobs/{id}", " us ", "tottime") if part not in printed] == []


def test_an_app_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2 and no traceback."""
    with pytest.raises(SystemExit) as left:
        main(["benchmarks.nothing:app"])

    assert left.value.code == 2
    assert "benchmarks.nothing" in capsys.readouterr().err
