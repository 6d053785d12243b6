"""The entry point: names every verb, imports one only when it is called, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import sys

import click

from shiplap import __version__
from shiplap.core.errors import ShiplapError, nearest

__all__ = ["GROUPS", "cli", "main"]

GROUPS: dict[str, dict[str, str]] = {
    "From table to ship": {
        "init": "Write a commented shiplap.toml from the table it is shown.",
        "run": "The main job: table and question in, proven ship and report out.",
    },
    "Data scientist": {
        "explore": "Know the data: schema, quality, drift, leak suspects.",
        "assess": "Is it worth solving with ML? A verdict in money.",
        "train": "Train a model: a plain scikit-learn pipeline, in a file.",
        "present": "Draw the report page of a run again.",
    },
    "ML engineer": {
        "pack": "Turn a trained model into a ship file, with proof.",
        "export": "Write a ship as one plain ONNX file with named inputs, with proof.",
        "verify": "Check a ship file's digests and replay its vectors here.",
        "sign": "Sign a ship file.",
        "show": "Say what a ship file is.",
        "score": "Answer a file of rows, streaming.",
        "bench": "Measure latency, throughput, memory and size on this machine.",
        "serve": "Answer requests over HTTP.",
        "keys": "Give, list, revoke and rotate the keys of those who may ask a server.",
    },
    "Workshop": {
        "doctor": "Say what is installed and what each missing extra would give.",
    },
}
VERBS = {verb: text for group in GROUPS.values() for verb, text in group.items()}


class Verbs(click.Group):
    """A group whose commands live in modules of their own, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every verb, in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one verb."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"shiplap.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which was probably meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no verb '{args[0]}': {nearest(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by who uses them, without importing any."""
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()), col_max=12)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: shiplap run data.csv --target COLUMN.  Each verb explains itself: shiplap VERB --help.",
)
@click.version_option(__version__, message="shiplap %(version)s")
def cli() -> None:
    """From a table and a question to a proven, measured, served model."""


def main() -> None:
    """Run the command line. Exit code 0: holds; 1: what was checked does not hold; 2: bad input."""
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except ShiplapError as error:
        from shiplap.cli.output import print_error  # noqa: PLC0415  (keeps `--help` light)

        print_error(error, as_json="--json" in sys.argv)
        code = error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"{click.style('error:', fg='red', bold=True)} '{error.filename}': {error.strerror}", err=True)
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nstopped; what was done is kept, and a re-run goes on from there", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
