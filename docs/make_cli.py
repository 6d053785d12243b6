"""Write docs/cli.md from the program's own help. A test compares the two.

Usage: python docs/make_cli.py
"""

from pathlib import Path

import click
from click.testing import CliRunner

from shiplap.cli.main import GROUPS, cli

HEAD = """# Command line

Generated from `--help` by `python docs/make_cli.py`; a test keeps it true.

Exit codes: 0, it holds; 1, what was checked does not hold (no-go, parity broken, budget missed: the report is still
made); 2, bad input, with one line that says what to do. `--json` works on every verb.
"""


def text() -> str:
    """Return the reference as Markdown."""
    parts = [HEAD]
    for title, verbs in GROUPS.items():
        parts.append(f"\n## {title}\n")
        for words in (words for verb in verbs for words in _commands(verb)):
            shown = CliRunner().invoke(cli, [*words, "--help"], prog_name="shiplap", terminal_width=100).output
            parts.append(f"\n### shiplap {' '.join(words)}\n\n```text\n{click.unstyle(shown).strip()}\n```\n")
    return "".join(parts)


def _commands(verb: str) -> list[list[str]]:
    """Return a verb and the commands below it."""
    command = cli.get_command(click.Context(cli), verb)
    return [[verb], *([verb, name] for name in getattr(command, "commands", ()))]


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(text(), encoding="utf-8")
