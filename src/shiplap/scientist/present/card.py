"""`model_card`: what a model is for, what it was judged on and where it fails, from records alone.

The headings are those of Mitchell et al. (2019), "Model Cards for Model Reporting", FAT*.
"""

from __future__ import annotations

from collections.abc import Iterable

from shiplap.adapters.figures import words
from shiplap.adapters.figures.markdown import escape, table_lines
from shiplap.core.finding import Finding
from shiplap.core.report import DataTable, Metric, Report
from shiplap.core.ship import Ship
from shiplap.scientist.present.facts import Facts
from shiplap.scientist.present.story import question, sentences, verdict

__all__ = ["model_card"]

_UNSAID = "The records say nothing about this."


def model_card(report: Report, ship: Ship | None = None) -> str:
    """Write a model card in Markdown.

    Parameters
    ----------
    report : Report
        Of ``run``, with the reports of the steps as parts; any may be absent.
    ship : Ship, optional
        The sealed package, for its id and its inputs.

    Returns
    -------
    str
        Markdown; a heading of which no record speaks says so.

    Examples
    --------
    >>> card = model_card(Report(verb="run", title="late", verdict="go", metrics={"name": "late"}))
    >>> card.splitlines()[0]
    '# Model card: late'
    """
    facts = Facts(report)
    chapters = (
        ("Model details", _details(facts, ship)),
        ("Intended use", _intended(facts)),
        ("Factors", _factors(facts)),
        ("Metrics", _metrics(facts)),
        ("Evaluation data", _evaluation(facts)),
        ("Training data", _training(facts)),
        ("Quantitative analyses", _analyses(facts)),
        ("Ethical considerations", _ethics(facts)),
        ("Caveats and recommendations", _caveats(facts)),
    )
    lines = [f"# Model card: {escape(facts.name)}", ""]
    for heading, body in chapters:
        lines += [f"## {heading}", "", *(body or [_UNSAID]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _details(facts: Facts, ship: Ship | None) -> list[str]:
    task = ship.signature.task if ship else facts.task
    lines = [f"- Task: {task}"]
    chosen = facts.word("train", "chosen")
    if chosen:
        lines.append(f"- Model: {escape(chosen)}")
    if ship:
        lines += [f"- Ship id: `{ship.id}`", f"- Made by: {escape(ship.manifest.made_by)}"]
        lines.append(
            f"- Inputs: {', '.join(f'`{_code(field.name)}` ({field.kind})' for field in ship.signature.inputs)}"
        )
    for verb, run in facts.runs:
        if verb == "train":
            lines.append(f"- Trained: {run.started[:19]} UTC, seed {run.seed}")
            lines += [f"- Git commit: `{_code(run.commit)}`"] if run.commit else []
    return lines


def _intended(facts: Facts) -> list[str]:
    asked = question(facts)
    _, word, meaning = verdict(facts)
    lines = [f"{escape(asked.before)} `{_code(asked.target)}`{escape(asked.after)}"]
    if asked.action:
        lines.append(f"If so: {escape(asked.action)}.")
    if word:
        lines += ["", f"Verdict: **{escape(word)}**. {meaning}".rstrip()]
    gain = facts.gain
    if gain is not None:
        span = f" ({gain.span})" if gain.span else ""
        lines += ["", f"Worth {gain.text} per 1,000 decisions against the best policy without ML{span}."]
    threshold = facts.number("train", "threshold")
    if threshold is not None and facts.task == "binary":
        lines += ["", f"It acts when the probability is {words.percent(threshold)} or more."]
    return lines


def _factors(facts: Facts) -> list[str]:
    slices = facts.table("train", "slices")
    if slices is None or not slices.rows:
        return []
    return ["Parts of the rows on which it does surely worse than on all of them:", "", *table_lines(slices, most=12)]


def _metrics(facts: Facts) -> list[str]:
    train = facts.parts.get("train")
    if train is None:
        return []
    return _table({name: value for name, value in train.metrics.items() if not name.startswith("n_")})


def _evaluation(facts: Facts) -> list[str]:
    rows, brief = facts.number("train", "n_test"), facts.brief
    if rows is None:
        return []
    how = "drawn at random"
    if brief.time:
        since = f" from {escape(brief.test_from)} on" if brief.test_from else ""
        how = f"the latest by `{_code(brief.time)}`{since}"
    elif brief.group:
        how = f"of groups (`{_code(brief.group)}`) that training never saw"
    return [f"{words.number(rows)} rows, {how}; used once, for the figures above."]


def _training(facts: Facts) -> list[str]:
    rows = facts.number("train", "n_train")
    lines = [f"{words.number(rows)} rows."] if rows is not None else []
    digest = next((run.inputs["table"] for _, run in facts.runs if "table" in run.inputs), "")
    lines += [f"Digest of the table: `{_code(digest)}`."] if digest else []
    left_out = {column for f in facts.findings(facts.report.verb, "run.quarantine") for column in f.columns}
    if left_out:
        lines += ["", f"Left out as leaks: {', '.join(f'`{_code(name)}`' for name in sorted(left_out))}."]
    return lines


def _analyses(facts: Facts) -> list[str]:
    lines = [f"- {escape(sentence)}" for sentence in sentences(facts)[1:]]
    policies = facts.table("assess", "policies")
    if policies is not None and policies.rows:
        lines += ["", *table_lines(policies)]
    bench = facts.parts.get("bench")
    return [*lines, "", *_table(bench.metrics)] if bench else lines


def _ethics(facts: Facts) -> list[str]:
    private = facts.brief.private
    if not private:
        return []
    return [f"Private columns, shown in no sample, card or page: {', '.join(f'`{_code(name)}`' for name in private)}."]


def _caveats(facts: Facts) -> list[str]:
    verbs = dict.fromkeys((facts.report.verb, "assess", "train", "pack", "bench"))
    found = [finding for verb in verbs for finding in facts.findings(verb)]
    return _points(finding for finding in found if finding.verdict in {"warn", "fail"})


def _points(findings: Iterable[Finding]) -> list[str]:
    return [f"- {escape(words.sentence(f))}{f' *{escape(f.todo)}*' if f.todo else ''}" for f in findings]


def _table(named: dict[str, Metric]) -> list[str]:
    rows = tuple(words.metrics(named))
    return table_lines(DataTable(name="metrics", title="", columns=("figure", "value"), rows=rows)) if rows else []


def _code(text: str) -> str:
    return words.plain(text).replace("`", "'")
