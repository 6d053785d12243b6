"""Order that knows the answer: a file sorted by the target, identifiers given by outcome, texts that say the label."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from shiplap.core.finding import Finding, Grade
from shiplap.methods.bins import bins_score
from shiplap.methods.columns import known_at
from shiplap.methods.leaks.copies import is_copy
from shiplap.methods.leaks.found import suspect
from shiplap.methods.leaks.sample import Floats, Ints, Sample, rows_of, skill

__all__ = ["identifiers", "row_order", "texts"]

_PIECES = 64
_SORTED = 0.5
_TELLS = 0.9
_MOST_NUMBERS = 5
_FEWEST_TOKENS, _MOST_TOKENS = 10, 2_000
_MANY_VALUES = 32
_COUNTS = 0.98
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def row_order(sample: Sample) -> list[Finding]:
    """Say whether the order of the rows tells the target, and which columns count along with it.

    Returns
    -------
    list of Finding
        ``leak.row_order``, of the table where no column is named, and of each column that rises or falls with the row
        number throughout. Nothing where the brief names the time: then order is what the split is made by.
    """
    task, n_rows = sample.problem.task, len(sample.rows)
    if sample.problem.time is not None or n_rows < 4 * _PIECES:
        return []
    places = sample.rows * _PIECES // sample.problem.n_rows
    score = bins_score(task, places, sample.y)
    if skill(task, score) < _SORTED:
        return []
    what = "R squared" if task == "regression" else "AUC"
    means = f"where a row stands in the table tells the target ({what} {score:.3f}): they are sorted by it or by time"
    todo = "let nothing in that counts rows; if they stand in order of time, say time= so that the future is tested on"
    found = [Finding(check="leak.row_order", verdict="warn", means=means, todo=todo, value=score, limit=_SORTED)]
    for name in sample.tried:
        column = sample.X[name]
        if column.dtype.kind not in "fM" or column.nunique() <= _PIECES:
            continue
        counts = abs(float(column.rank().corr(pd.Series(np.arange(n_rows, dtype=np.float64)))))
        if counts >= _COUNTS:
            said = f"'{name}' counts the rows (rank correlation {counts:.3f}), and {means}"
            found.append(suspect("leak.row_order", "warn", name, said, value=score, limit=_SORTED))
    return found


def identifiers(sample: Sample) -> list[Finding]:
    """Say whether identifiers, which no model is given, tell the target by their order, prefix or length."""
    found = []
    for name, column in _left_out(sample, ("id",)).items():
        score, how = max(((_score(sample, codes), how) for how, codes in _readings(column).items()), default=(0.0, ""))
        if skill(sample.problem.task, score) < _SORTED:
            continue
        means = (
            f"the {how} of '{name}' tells the target ({score:.3f}): it was given with the outcome, or the table was "
            "put together by outcome"
        )
        todo = f"keep '{name}' out, as it is; ask how the rows were collected"
        found.append(suspect("leak.identifier", "warn", name, means, todo=todo, value=score, limit=_SORTED))
    return found


def _left_out(sample: Sample, kinds: tuple[str, ...]) -> dict[str, pd.Series]:
    """Fetch columns of some kinds that are no features, and are neither private nor settled, on the few rows."""
    problem, brief = sample.problem, sample.problem.brief
    names = [
        column.name
        for column in problem.table.schema
        if column.kind in kinds
        and column.name not in (*problem.target_columns, *problem.schema.names, *brief.private)
        and not (column.private or (column.name in brief.columns and brief.columns[column.name].private))
        and known_at(column, brief) is None
    ]
    frame = rows_of(problem, names, sample.rows[sample.few])
    return {} if frame is None else {name: frame[name] for name in names}


def _readings(column: pd.Series) -> dict[str, Ints]:
    """Read an identifier as a number's order, and as a prefix and a length where those differ between rows."""
    text = column.astype(object).where(column.notna(), "").astype(str)
    number = pd.Series([max(map(float, _NUMBER.findall(one)), key=abs, default=np.nan) for one in text])
    readings = {"order": (number.rank(pct=True).fillna(0.0) * (_PIECES - 1)).to_numpy().astype(np.int64)}
    parts: dict[str, pd.Series] = {"prefix": text.str[:2], "length": text.str.len()}
    for how, values in parts.items():
        codes, found = pd.factorize(values, use_na_sentinel=False)
        if 2 <= len(found) <= _PIECES:
            readings[how] = codes.astype(np.int64)
    return readings


def _score(sample: Sample, codes: Ints) -> float:
    return bins_score(sample.problem.task, codes, sample.y[sample.few])


def texts(sample: Sample) -> list[Finding]:
    """Say whether texts contain the label: one word for each class, or the number itself.

    Free text is left out of models here, but whoever reads features from it should know. Categories of more than 32
    values are read too.

    Returns
    -------
    list of Finding
        ``leak.text``: ``fail`` for a feature, ``warn`` for a text that is left out anyway.
    """
    few = sample.X.iloc[sample.few]
    features = {name: few[name] for name in sample.tried if sample.problem.schema[name].kind == "category"}
    wide = {name: column for name, column in features.items() if column.nunique() > _MANY_VALUES}
    found = []
    for name, column in {**wide, **_left_out(sample, ("text", "id"))}.items():
        said = _said(sample, column.astype(object).where(column.notna(), "").astype(str))
        if said is None:
            continue
        agreement, words = said
        means = f"the text of '{name}' contains the target: {words}"
        grade: Grade = "fail" if name in wide else "warn"
        found.append(suspect("leak.text", grade, name, means, value=agreement, limit=_TELLS))
    return found


def _said(sample: Sample, column: pd.Series) -> tuple[float, str] | None:
    y = sample.y[sample.few]
    if sample.problem.task == "regression":
        return (1.0, "its number is the target in other units") if _numbers_say(column, y) else None
    count = CountVectorizer(binary=True, min_df=_FEWEST_TOKENS, max_features=_MOST_TOKENS, analyzer=_words)
    try:
        present = count.fit_transform(column)
    except ValueError:  # no word is frequent enough
        return None
    rows, vocabulary = np.asarray(present.sum(axis=0)).ravel(), count.get_feature_names_out()
    best: list[tuple[float, str, str]] = []
    for code in np.flatnonzero(np.bincount(y) >= max(2 * _FEWEST_TOKENS, 0.01 * len(y))):
        hits = np.asarray(present.T @ (y == code).astype(np.float64)).ravel()
        agreement = _kappa(hits, rows, float(np.sum(y == code)), len(y))
        top = int(np.argmax(agreement))
        best.append((float(agreement[top]), str(vocabulary[top]), str(sample.problem.classes[code])))
    told = [one for one in best if one[0] >= _TELLS]
    if not told or len(told) < len(best) - 1:
        return None
    words = ", ".join(f"'{word}' where it is '{label}' ({agreement:.0%})" for agreement, word, label in told[:3])
    return min(one[0] for one in told), words


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _kappa(hits: Floats, rows: Floats, n_class: float, n_rows: int) -> Floats:
    """Cohen's kappa between the presence of each word and one class."""
    agreed = (n_rows - rows - n_class + 2 * hits) / n_rows
    by_chance = (rows * n_class + (n_rows - rows) * (n_rows - n_class)) / n_rows**2
    return np.asarray((agreed - by_chance) / np.maximum(1 - by_chance, 1e-12))


def _numbers_say(column: pd.Series, y: Floats) -> bool:
    read = [_NUMBER.findall(text) for text in column]
    for place in range(min(_MOST_NUMBERS, max(len(found) for found in read))):
        numbers = np.array([float(found[place]) if len(found) > place else np.nan for found in read])
        if np.isfinite(numbers).mean() >= 0.5 and is_copy(numbers, y.astype(np.float64)):
            return True
    return False
