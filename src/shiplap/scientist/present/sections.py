"""The sections of the page, each from the records of one step; a step that was not run has none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import msgspec

from shiplap.adapters.figures import words
from shiplap.adapters.figures.embed import Grid, Picture, grid, picture
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Figure, Report
from shiplap.scientist.present.facts import Facts

__all__ = ["Detail", "Section", "sections"]

MOST_DETAILS = 24
MOST_FINDINGS = 6
MOST_BARS = 12


@dataclass(frozen=True)
class Detail:
    """What only an engineer opens."""

    title: str
    stats: list[tuple[str, str]] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Grid] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Section:
    """One heading of the page and what stands below it."""

    id: str
    title: str
    lead: str = ""
    stats: list[tuple[str, str]] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Grid] = field(default_factory=list)
    code: list[tuple[str, str]] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)


def sections(facts: Facts) -> list[Section]:
    """Return the sections that the records can fill, in the order a reader should meet them."""
    builders = (_worth, _learned, _kept_out, _rows, _proof, _speed, _lineage, _use)
    return [section for build in builders if (section := build(facts)) is not None]


def _worth(facts: Facts) -> Section | None:
    assess = facts.parts.get("assess")
    curve = facts.figure("train", "value_curve")
    if assess is None and curve is None:
        return None
    figures = [facts.figure("assess", "policies"), curve]
    return Section(
        id="worth",
        title="Is it worth it?",
        lead=_worth_lead(facts),
        findings=_grave(assess.findings if assess else ()),
        pictures=_pictures("worth", figures),
        details=_details(
            facts,
            "assess",
            "How this was assessed",
            but_figures={"policies"},
            findings=_calm(assess) if assess else (),
            stats=words.metrics(assess.metrics) if assess else [],
        ),
    )


def _worth_lead(facts: Facts) -> str:
    money, threshold = facts.number("train", "money_per_1000"), facts.number("train", "threshold")
    low, high = facts.number("train", "money_low"), facts.number("train", "money_high")
    said = ""
    if money is not None:
        said = f"Decided by the shipped model, 1,000 decisions bring {words.money(money, facts.unit)}"
        if low is not None and high is not None:
            said += f" (95% interval {words.money(low, facts.unit)} to {words.money(high, facts.unit)})"
        said += " on rows it had not seen. "
    if threshold is not None and facts.task == "binary":
        said += f"It acts when the probability is {words.percent(threshold)} or more."
    return said.strip()


def _learned(facts: Facts) -> Section | None:
    train = facts.parts.get("train")
    if train is None:
        return None
    names = ("importance", "calibration", "scores")
    figures = [_shortened(facts.figure("train", name)) for name in names]
    slices = facts.table("train", "slices")
    return Section(
        id="learned",
        title="What it learned, and where it fails",
        findings=_grave(train.findings),
        pictures=_pictures("learned", figures),
        tables=[grid(slices, most=12)] if slices and slices.rows else [],
        details=_details(
            facts,
            "train",
            "How it was trained",
            but_figures={*names, "value_curve"},
            but_tables={"slices"},
            findings=_calm(train),
            stats=words.metrics(train.metrics),
        ),
    )


def _shortened(figure: Figure | None) -> Figure | None:
    """Keep the longest bars of a long list; the table of the step holds all."""
    if figure is None or figure.kind != "bar" or len(figure.data.get(figure.x, [])) <= MOST_BARS:
        return figure
    return msgspec.structs.replace(figure, data={name: values[:MOST_BARS] for name, values in figure.data.items()})


def _kept_out(facts: Facts) -> Section | None:
    said = facts.findings(facts.report.verb, "run.") if facts.report.verb == "run" else ()
    leaks = _once(facts.findings("explore", "leak."))
    if not said and not leaks:
        return None
    table = facts.table("explore", "leaks")
    proven = tuple(f for f in leaks if f.verdict == "fail")
    shown = (*said, *(proven if len(proven) <= MOST_FINDINGS else ()), *(f for f in leaks if f.verdict == "good"))
    return Section(
        id="leaks",
        title="What was kept out",
        lead=_kept_out_lead(facts, said, proven),
        findings=shown,
        details=[
            *([Detail("Each leak and its evidence", findings=proven)] if len(proven) > MOST_FINDINGS else []),
            *([Detail("The evidence in numbers", tables=[grid(table)])] if table and table.rows else []),
            *([Detail("Suspicions that were not acted on", findings=rest)] if (rest := _unsure(leaks)) else []),
        ],
    )


def _kept_out_lead(facts: Facts, said: tuple[Finding, ...], proven: tuple[Finding, ...]) -> str:
    count = len({column for f in said if f.check == "run.quarantine" for column in f.columns})
    if count:
        columns = "1 column was" if count == 1 else f"{count} columns were"
        return f"{columns} left out, since a model that reads them would look good here and fail in use."
    columns_named = {column for finding in proven for column in finding.columns}
    if columns_named and columns_named <= set(facts.brief.drop):
        return "What knows the answer was left out by the brief."
    return ""


def _unsure(leaks: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in leaks if finding.verdict in {"warn", "note"})


def _once(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Keep one of the findings that say the same of several columns."""
    return tuple({(finding.check, finding.means): finding for finding in findings}.values())


def _rows(facts: Facts) -> Section | None:
    explore = facts.parts.get("explore")
    if explore is None:
        return None
    findings = _gravest_first(facts.findings("explore", but="leak."))
    order = ("target_over_time", "missing")
    return Section(
        id="rows",
        title="The rows",
        stats=words.metrics(explore.metrics)[:8],
        findings=findings[:MOST_FINDINGS],
        pictures=_pictures("rows", [_shortened(facts.figure("explore", name)) for name in order]),
        details=_details(
            facts,
            "explore",
            "Every column",
            but_figures=set(order),
            but_tables={"leaks"},
            findings=findings[MOST_FINDINGS:],
        ),
    )


def _proof(facts: Facts) -> Section | None:
    pack = facts.parts.get("pack")
    if pack is None:
        return None
    rows, flips = facts.number("pack", "rows"), facts.number("pack", "flips")
    lead = ""
    if rows is not None and flips is not None:
        lead = (
            f"The original model and the ship file answered the same {words.number(rows)} rows, those built to break "
            f"the conversion included: {'no answer' if flips == 0 else words.number(flips) + ' answers'} changed."
        )
    return Section(
        id="proof",
        title="Proof of the hand-off",
        lead=lead,
        stats=words.metrics(pack.metrics)[:8],
        findings=pack.findings,
        details=_details(facts, "pack", "The certificate, by kind of row"),
    )


def _speed(facts: Facts) -> Section | None:
    bench = facts.parts.get("bench")
    if bench is None:
        return None
    one, faster = facts.number("bench", "single_p50_us"), facts.number("bench", "speedup")
    lead = f"One row takes {words.number(one)} µs from values to decision" if one is not None else ""
    if lead and faster and faster >= 2:
        original = facts.number("bench", "original_p50_us")
        against = f" ({words.number(original)} µs)" if original is not None else ""
        lead += f", {words.number(round(faster))} times faster than the original pipeline{against}"
    return Section(
        id="speed",
        title="Speed and size",
        lead=f"{lead}, on the machine that made this page." if lead else "",
        stats=words.metrics(bench.metrics),
        findings=bench.findings,
        pictures=_pictures("speed", list(bench.figures)),
        details=_details(
            facts, "bench", "How it was measured", but_figures=[f.name for f in bench.figures], but_tables={"costs"}
        ),
    )


def _lineage(facts: Facts) -> Section | None:
    if not facts.runs:
        return None
    steps = tuple(
        (verb, run.started[:19].replace("T", " "), round(run.seconds, 1), _digests(run.inputs), _digests(run.outputs))
        for verb, run in facts.runs
    )
    columns = ("step", "started (UTC)", "seconds", "from", "made")
    last = facts.runs[-1][1]
    commit = next((run.commit for _, run in facts.runs if run.commit), "")
    versions = tuple((name, version) for name, version in last.environment.items())
    details = [Detail("Versions", tables=[grid(DataTable(name="v", title="", columns=("", "version"), rows=versions))])]
    dirty = "+" if commit.endswith("+") else ""
    where = f"git commit {commit[:12]}{dirty}" if commit else "outside a git repository"
    return Section(
        id="lineage",
        title="Where it comes from",
        lead=f"Each step with the digests of what went in and what came out; {where}, seed {last.seed}.",
        tables=[grid(DataTable(name="steps", title="Steps", columns=columns, rows=steps), width=120)],
        details=details if versions else [],
    )


def _digests(named: dict[str, str]) -> str:
    return ", ".join(f"{name} {digest[:12]}" for name, digest in named.items())


def _use(facts: Facts) -> Section | None:
    if "pack" not in facts.parts:
        return None
    ship = facts.ship_file
    return Section(
        id="use",
        title="Use it",
        code=[
            ("Score a file", f"shiplap score {ship} new.csv -o answers.csv"),
            ("Serve it on this machine", f"shiplap serve {ship} --port 8000"),
            ("Check it anywhere: digests, and the proof's rows replayed", f"shiplap verify {ship}"),
            ("In Python", f'import shiplap as sl\nscorer = sl.load("{ship}")\nscorer.decide(rows)'),
        ],
    )


def _details(
    facts: Facts,
    verb: str,
    title: str,
    *,
    but_figures: Collection[str] = (),
    but_tables: Collection[str] = (),
    findings: tuple[Finding, ...] = (),
    stats: list[tuple[str, str]] | None = None,
) -> list[Detail]:
    part = facts.parts.get(verb)
    if part is None:
        return []
    figures = [figure for figure in part.figures if figure.name not in but_figures]
    detail = Detail(
        title,
        stats=stats or [],
        findings=findings,
        pictures=_pictures(f"{verb}-more", figures[:MOST_DETAILS]),
        tables=[grid(table) for table in part.tables if table.name not in but_tables],
        note=f"{len(figures) - MOST_DETAILS} more figures are in the records." if len(figures) > MOST_DETAILS else "",
    )
    filled = detail.stats or detail.findings or detail.pictures or detail.tables
    return [detail] if filled else []


def _calm(part: Report) -> tuple[Finding, ...]:
    return tuple(f for f in part.findings if f.verdict in {"good", "note"} and not f.check.startswith("leak."))


def _grave(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.verdict in {"warn", "fail"})


def _gravest_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    order = {"fail": 0, "warn": 1, "note": 2, "good": 3}
    return tuple(sorted(findings, key=lambda finding: order[finding.verdict]))


def _pictures(place: str, figures: Iterable[Figure | None]) -> list[Picture]:
    numbered = [(number, figure) for number, figure in enumerate(figures) if figure is not None]
    return [shown for number, figure in numbered if (shown := picture(figure, f"{place}-{number}"))]
