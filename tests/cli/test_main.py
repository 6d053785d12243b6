"""The frame of the command line: help, unknown verbs, exit codes, JSON."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from shiplap.cli.main import VERBS, cli

PROGRAM = [sys.executable, "-c", "from shiplap.cli.main import main; main()"]


def shiplap(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def test_help_lists_every_verb() -> None:
    text = CliRunner().invoke(cli, ["--help"]).output
    for verb, line in VERBS.items():
        assert re.search(rf"^  {verb} +{re.escape(line)}$", text, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_and_speaks_json(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    first = " ".join(result.output.split("\n\n")[1].split())
    assert first.startswith(VERBS[verb].rstrip("."))


def test_an_unknown_verb_names_the_nearest() -> None:
    run = shiplap("explor")
    assert run.returncode == 2
    assert "did you mean 'explore'?" in run.stderr


def test_an_error_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    run = shiplap("verify", str(tmp_path / "none.ship"))
    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.strip().splitlines()) == 1
    assert "none.ship" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_error_under_json_is_json(tmp_path: Path) -> None:
    run = shiplap("verify", str(tmp_path / "none.ship"), "--json")
    assert run.returncode == 2
    answer = json.loads(run.stdout)
    assert "none.ship" in answer["error"]
    assert answer["exit_code"] == 2


def test_doctor_says_what_is_installed() -> None:
    run = shiplap("doctor", "--json")
    assert run.returncode == 0
    report = json.loads(run.stdout)
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    told = {finding["check"] for finding in report["findings"]}
    assert told == {"extra.base"} | {f"extra.{name}" for name in extras if name != "dev"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "rows.csv", "-t", "a", "--out", "rows.csv"), "there is no folder 'rows.csv' to write in"),
        (("train", "rows.csv", "-t", "a", "-o", "nowhere/a.skops"), "there is no folder 'nowhere' to write in"),
        (("explore", "rows.csv", "-q", "--html", "rows.csv/a.html"), "'rows.csv': "),
    ],
)
def test_where_nothing_can_be_written_is_one_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n" + "1,2\n3,4\n" * 20)
    run = shiplap(*arguments, cwd=tmp_path)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1), run.stderr
    assert says in run.stderr
