"""Figures as files, with the same word on every verb."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from shiplap.cli.main import cli
from shiplap.core.report import Figure, Report

BAR = Figure(name="late/by ../carrier", title="T", kind="bar", data={"c": ["a"], "n": [1]}, x="c", y=("n",))
REPORT = Report(
    verb="run", title="late", verdict="go", figures=(BAR,),
    parts=(Report(verb="train", title="Model", figures=(BAR, BAR, msgspec.structs.replace(BAR, data={}))),),
)  # fmt: skip


@pytest.mark.parametrize("verb", ["explore", "assess", "train", "bench", "run", "present"])
def test_every_verb_that_draws_knows_the_word(verb: str) -> None:
    assert "--figures FOLDER" in CliRunner().invoke(cli, [verb, "--help"]).output


def test_a_report_leaves_its_figures_as_files(tmp_path: Path) -> None:
    (tmp_path / "late.json").write_bytes(REPORT.to_json())
    given = ["present", str(tmp_path / "late.json"), "-o", str(tmp_path / "late.html"), "--figures"]
    assert CliRunner().invoke(cli, [*given, str(tmp_path / "new" / "figures")]).exit_code == 0
    written = sorted(path.name for path in (tmp_path / "new" / "figures").iterdir())
    names = ("late-by-..-carrier", "train-late-by-..-carrier", "train-late-by-..-carrier-2")
    assert written == sorted(f"{name}.{kind}" for name in names for kind in ("pdf", "png", "svg"))
    refused = CliRunner().invoke(cli, [*given, str(tmp_path / "late.json")])
    assert refused.exit_code == 2
