"""The documents are true: the reference matches the program, the blocks run, the links lead somewhere."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])


def test_the_command_line_reference_is_what_the_program_says() -> None:
    spec = importlib.util.spec_from_file_location("make_cli", ROOT / "docs" / "make_cli.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text() == module.text(), "run: python docs/make_cli.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).exists(), f"{page.name}: {link}"


def blocks(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"^```(console|python)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_the_tutorial_runs(tmp_path: Path) -> None:
    """Every console line and every Python block of the tutorial, in order, as a reader would."""
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    told = 0
    for kind, text in blocks(ROOT / "docs" / "tutorial.md"):
        if kind == "python":
            run = subprocess.run(
                [sys.executable, "-c", text], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, f"{text}\n{run.stdout}\n{run.stderr}"
            told += 1
            continue
        for line in re.findall(r"^\$ ((?:.*\\\n)*.*)", text, re.MULTILINE):
            run = subprocess.run(
                ["bash", "-c", line], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, f"{line}\n{run.stdout}\n{run.stderr}"
            told += 1
    assert told >= 8
