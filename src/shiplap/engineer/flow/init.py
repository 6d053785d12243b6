"""`init`: a commented ``shiplap.toml``, written from the table it is shown."""

from __future__ import annotations

from pathlib import Path

from shiplap.core.errors import BriefError, nearest
from shiplap.core.schema import Column
from shiplap.core.table import Table
from shiplap.engineer.flow.verbs import verbs

__all__ = ["init"]


def init(source: str, *, target: str = "", folder: Path | None = None, force: bool = False) -> Path:
    """Look at a table and write the brief a person would start from.

    Parameters
    ----------
    source : str
        Path, glob or query, as `shiplap.read` takes it.
    target : str
        Column or expression to predict; left to be filled in when empty.
    folder : Path, optional
        Where to write; the working folder when left out.
    force : bool
        Replace a brief that is there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    BriefError
        There is a brief already, or the target is not in the table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "rows.csv").write_text("age,plan,left\\n31,basic,yes\\n44,gold,no\\n51,basic,no\\n")
    >>> init(str(folder / "rows.csv"), target="left", folder=folder).name
    'shiplap.toml'
    """
    path = (folder or Path.cwd()) / "shiplap.toml"
    if path.exists() and not force:
        raise BriefError(f"'{path}' is there already", hint="look at it first; --force replaces it")
    table: Table = verbs.get("read")(source)
    if target and target not in table.schema and target.isidentifier():
        raise BriefError(f"the table has no column '{target}'", hint=nearest(target, table.schema.names))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_text(table, source, target, path.parent), encoding="utf-8")
    return path


def _text(table: Table, source: str, target: str, folder: Path) -> str:
    moment = next((column.name for column in table.schema if column.kind == "date"), "")
    ids = [column.name for column in table.schema if column.kind == "id"]
    place = _relative(source, folder)
    return f"""\
# The question. `shiplap run` in this folder answers it. Lines that start with # are optional.

name = {_quoted(table.name)}
table = {_quoted(place)}            # {table.n_rows:,} rows; a path, a glob, or an SQL query over files
target = {_quoted(target)}          # a column, or an expression such as "arr_delay > 15"
# task = "binary"                   # or multiclass, regression, ranking, forecast, anomaly; inferred when left out
# positive = "yes"                  # the class that is to be found
# horizon = 1                       # how many steps ahead a forecast is asked
# decision = "call the customer"    # what is done when the answer is yes
{"" if moment else "# "}time = {_quoted(moment or "date")}   # learn from the past, test on the future
# test_from = "2024-06-01"          # first moment of the test rows; the last sixth of the span when left out
# group = "customer"                # rows of one group are never split between training and test
{"" if ids else "# "}id = [{", ".join(map(_quoted, ids or ["customer_id"]))}]   # only identify a row
# private = ["name"]                # appear in no ship, sample or page
# sensitive = ["sex"]               # groups of people whose error rates are compared
# label_time = "closed_on"          # from this moment on the label was known; never a feature
# acted = "was_called"              # where the decision was acted on in the past; never a feature
# drop = ["year"]                   # columns to leave out
# keep = ["month"]                  # columns to use whatever the leak tests say
# seed = 0                          # of every random choice

# What one decision is worth. Without it no money is invented: the break-even ratio is reported.
# [value]
# tp = 80                           # acted, and it was needed: a number, or a column: "0.2 * amount"
# fp = -5                           # acted in vain
# fn = -120                         # did not act, and should have
# tn = 0                            # did not act, rightly
# matrix = {{ yes = {{ yes = 9 }} }}    # of several classes: matrix.decided.actual, instead of tp, fp, fn, tn
# over = 1                          # of numbers: one unit too much, and too little, instead of those
# under = 3
# cost = 2                          # of a ranking: what acting on one row costs; what it brings is the target
# unit = "$"
# effort = 50                       # what using ML at all costs per 1,000 decisions; the gain must exceed it

# How often can be acted, where more would be wanted than can be done; one of them.
# [capacity]
# per_day = 200                     # in each day of the time column
# per_hour = 20
# per_week = 1000
# per_month = 4000
# share = 0.05                      # of the rows

# What a prediction, making the model, and reading the table may cost.
[budget]
# p99_ms = 1                        # one row in process: encode, graph, decide
# size_mb = 10                      # the sealed part of the ship
# memory_mb = 200                   # what loading it adds
# table_mb = 1024                   # what rows, and queries over them, take in memory; the rest lies on disk
train_seconds = 120

# What is known of single columns. known_at settles any suspicion of a leak.
# [columns.{_key(table.schema.columns[0].name)}]
# known_at = "decision"             # or "later": known only after the decision
# kind = "category"                 # number, boolean, category, date, text, id
# missing = ["n/a", "-"]            # further texts that mean "missing" here
# private = true                    # appears in no ship, sample or page

# What the table holds:
{chr(10).join(_line(column) for column in table.schema)}
"""


def _line(column: Column) -> str:
    seen = [column.kind, f"{column.n_distinct:,} values" if column.kind != "number" else ""]
    if column.kind in ("number", "date") and column.low is not None:
        low, high = (f"{end:.10g}" if isinstance(end, float) else end for end in (column.low, column.high))
        seen[1] = f"{low} to {high}"
    if column.categories and not column.private:
        seen.append(", ".join(column.categories[:5])[:60])
    if column.n_missing:
        seen.append(f"{column.n_missing:,} missing")
    text = "; ".join(part for part in seen if part)
    return "#   " + f"{column.name}: {text}".replace("\n", " ").replace("\r", " ")


def _relative(source: str, folder: Path) -> str:
    path = Path(source)
    if not path.is_file():
        return source
    try:
        return path.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _quoted(text: str) -> str:
    escaped = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{escaped}"'


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else _quoted(name)
