"""The run in words: the question, the verdict and three sentences, each drawn from records."""

from __future__ import annotations

from dataclasses import dataclass

from shiplap.adapters.figures import words
from shiplap.scientist.present.facts import Facts

__all__ = ["Headline", "Question", "condition", "headline", "question", "sentences", "verdict"]

_VERDICTS = {"go": ("good", "Go"), "no-go": ("fail", "No-go"), "collect more": ("warn", "Collect more")}
_LEAST_RATIO = 0.01
_IN_MONEY = {
    "go": "Acting on the model earned more than the best policy without it; the whole interval lies above it.",
    "no-go": "On this evidence the model does not earn more than the best policy without it.",
    "collect more": "The rows at hand do not settle whether the model earns more than the best policy without it.",
}
_IN_MONEY_AS_ASSESSED = (
    "As assessed, acting on a model earned more than the best policy without it; the one shipped may earn less."
)
_IN_LOSS = {
    "go": "By the whole of its interval the model knows more than the best guess that does without it.",
    "no-go": "On this evidence the model knows no more than the best guess that does without it.",
    "collect more": "The rows at hand do not settle whether the model knows more than the best guess without it.",
}


@dataclass(frozen=True)
class Question:
    """The question, the target set apart from the words around it."""

    before: str
    target: str
    after: str
    action: str


@dataclass(frozen=True)
class Headline:
    """The one figure at the top of the page.

    Parameters
    ----------
    figure, caption : str
        The figure and what it is.
    span : str
        Its interval in words; empty where there is none.
    low, high, value, zero : float or None
        Places of the interval, the figure and zero, from 0 to 100, for drawing; None where there is no interval.
    """

    figure: str
    caption: str
    span: str = ""
    low: float | None = None
    high: float | None = None
    value: float | None = None
    zero: float | None = None


def question(facts: Facts) -> Question:
    """Put the brief's question into words.

    Examples
    --------
    >>> from shiplap.core.report import Report
    >>> asked = question(Facts(Report(verb="run", title="late", metrics={"name": "late", "target": "arr_delay > 15"})))
    >>> f"{asked.before} {asked.target}{asked.after}"
    'Can we tell in advance when arr_delay > 15?'
    """
    brief = facts.brief
    target = words.clip(words.plain(brief.target), 120) or facts.name
    action = words.plain(brief.decision)
    if facts.task == "binary":
        return Question("Can we tell in advance when", condition(facts), "?", action)
    if brief.task == "ranking":
        return Question("Which rows bring the most", target, "?", action)
    before = "How well can we tell" if facts.task == "regression" else "Can we tell in advance which"
    after = " in advance?" if facts.task == "regression" else " it will be?"
    return Question(before, target, after, action)


def condition(facts: Facts) -> str:
    """Return what is looked for in a binary question, as an expression.

    Examples
    --------
    >>> from shiplap.core.report import Report
    >>> condition(Facts(Report(verb="run", title="", metrics={"target": "Churn", "positive": "Yes"})))
    'Churn = Yes'
    """
    target = words.clip(words.plain(facts.brief.target), 120) or facts.name
    positive = facts.positive
    if positive and not any(sign in target for sign in "<>="):
        return f"{target} = {positive}"
    return target


def verdict(facts: Facts) -> tuple[str, str, str]:
    """Return the tone, the name and the meaning of the verdict."""
    word = facts.report.verdict
    if word not in _VERDICTS and "assess" in facts.parts:
        word = facts.parts["assess"].verdict
    tone = "note" if facts.report.holds else "fail"
    tone, name = _VERDICTS.get(word, (tone, words.plain(word).capitalize()))
    gain = facts.gain
    if word == "go" and gain is not None and (gain.low is None or gain.low <= 0):
        return tone, name, _IN_MONEY_AS_ASSESSED
    return tone, name, (_IN_LOSS if gain is None else _IN_MONEY).get(word, "")


def headline(facts: Facts) -> Headline | None:
    """Return the figure that decides: money where values were given, else the break-even ratio, else the error saved.

    Examples
    --------
    >>> from shiplap.core.report import Report
    >>> found = {"gain_per_1000": 1290.0, "gain_low": 1100.0, "gain_high": 1400.0, "unit": "EUR"}
    >>> shown = headline(Facts(Report(verb="assess", title="", verdict="go", metrics=found)))
    >>> shown.figure, shown.span
    ('+1,290 EUR', '95% interval +1,100 EUR to +1,400 EUR')
    """
    gain = facts.gain
    if gain is not None:
        best = facts.word("assess", "best_simple")
        caption = f"per 1,000 decisions, against the best policy without ML{f' ({best})' if best else ''}"
        if gain.low is None or gain.high is None:
            return Headline(gain.text, caption)
        ends = (0.0, gain.low, gain.high, gain.value)
        start, room = min(ends), (max(ends) - min(ends)) or 1.0
        place = [4 + 92 * (end - start) / room for end in (gain.low, gain.high, gain.value, 0.0)]
        return Headline(gain.text, caption, gain.span, *place)
    ratio, saved = facts.number("assess", "break_even"), _saved(facts)
    if ratio and ratio >= _LEAST_RATIO:
        caption = (
            "is the break-even ratio: acting pays where a hit brings at least this many times what a false alarm "
            "costs. "
            "No values were given, so no money is invented"
        )
        return Headline(f"{words.number(ratio)} ×", caption)
    return Headline(words.percent(saved[0]), saved[1]) if saved else None


def sentences(facts: Facts) -> list[str]:
    """Say in plain words what was learned from, how well it does, and what was handed over."""
    return [sentence for sentence in (_rows(facts), _skill(facts), _handed_over(facts)) if sentence]


def _rows(facts: Facts) -> str:
    learned, judged = facts.number("train", "n_train"), facts.number("train", "n_test")
    rate = facts.number("assess", "base_rate") or facts.number("explore", "base_rate")
    if learned and judged:
        unseen = "later ones it had not seen" if facts.brief.time else "others it had not seen"
        said = f"The model learned from {words.number(learned)} rows and was judged on {words.number(judged)} {unseen}"
    else:
        rows = facts.number("explore", "n_rows")
        if not rows:
            return ""
        said = f"{words.number(rows)} rows were looked at"
    if rate and facts.task == "binary":
        return f"{said}; {condition(facts)} in {words.percent(rate)} of the rows."
    return f"{said}."


def _skill(facts: Facts) -> str:
    auc, linear = facts.number("train", "test_auc"), facts.number("train", "linear_auc")
    if auc is not None:
        said = f"Of two rows, one with {condition(facts)} and one without, it gives the right one the higher score "
        said += f"{words.percent(auc)} of the time"
        return f"{said} (a linear model {words.percent(linear)}, a coin 50%)." if linear is not None else f"{said}."
    right, error = facts.number("train", "test_accuracy"), facts.number("train", "test_rmse")
    if right is not None:
        linear = facts.number("train", "linear_accuracy")
        said = f"It names the right class for {words.percent(right)} of the test rows"
        return f"{said} (a linear model: {words.percent(linear)})." if linear is not None else f"{said}."
    caught = facts.number("train", "test_captured")
    if caught is not None:
        return f"Within the capacity it brings {words.percent(caught)} of what could be had if values were known."
    if error is not None:
        share = facts.number("train", "test_r2")
        said = f"It is typically {words.number(error)} off"
        varies = "nothing" if share is not None and share <= 0 else words.percent(share)
        return f"{said} and explains {varies} of what varies." if share is not None else f"{said}."
    return ""


def _handed_over(facts: Facts) -> str:
    rows, flips = facts.number("pack", "rows"), facts.number("pack", "flips")
    if rows is None or flips is None:
        return ""
    said = f"The ship file was held against the model on {words.number(rows)} rows and changed "
    said += "no answer" if flips == 0 else f"{words.number(flips)} answers"
    one, faster = facts.number("bench", "single_p50_us"), facts.number("bench", "speedup")
    if one is None:
        return f"{said}."
    said += f"; one row takes {words.number(one)} µs"
    return (
        f"{said}, {words.number(round(faster))} times faster than the original."
        if faster and faster >= 2
        else f"{said}."
    )


def _saved(facts: Facts) -> tuple[float, str] | None:
    for key, what in (("rmse", "error"), ("log_loss", "log loss")):
        model, constant = facts.number("train", f"test_{key}"), facts.number("train", f"constant_{key}")
        if model is not None and constant:
            saved = 1 - model / constant
            return abs(saved), f"{'less' if saved >= 0 else 'more'} {what} than an answer that looks at no column"
    return None
