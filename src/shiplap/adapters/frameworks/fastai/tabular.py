"""Tabular learners: categories become positions in the encoder, numbers are filled and scaled in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from shiplap.adapters.frameworks.fastai.reading import Reading, activated, answers_of, kind_name, transforms
from shiplap.adapters.frameworks.neural import Wire
from shiplap.adapters.frameworks.sklearn.sample import as_frame, columns_of
from shiplap.core.encoding import Category, Number, Operation
from shiplap.core.errors import RefusedError, TableError, nearest
from shiplap.core.schema import Column

__all__ = ["answers", "read", "sample"]

_KNOWN = {"Categorify", "FillMissing", "Normalize"}
_TARGETS = {"Categorize", "EncodedMultiCategorize", "MultiCategorize", "RegressionSetup", "OneHotEncode"}
_MAX_EXACT = 2**53


@dataclass(frozen=True)
class _Procs:
    """The preprocessing of a learner's table.

    `categories` are the vocabularies by column, ``#na#`` left out; `filled` what missing numbers become; `marked` the
    columns that say whether a number was missing, and the number's column; `scaled` means and deviations by column.
    """

    categories: dict[str, list[Any]]
    numbers: list[str]
    filled: dict[str, float]
    marked: dict[str, str]
    scaled: dict[str, tuple[float, float]]


class _Filled(torch.nn.Module):  # type: ignore[misc]  # untyped here
    """From positions and numbers as the encoder writes them to what the learner answers."""

    def __init__(self, learner: Any, procs: _Procs) -> None:
        super().__init__()
        self.model = learner.model
        self.activation = activated(learner)
        self.scale = bool(procs.scaled)
        self.fill = bool(procs.filled)
        self.read = [None if name in procs.marked else name for name in procs.categories]
        self.marks = [
            (procs.numbers.index(procs.marked[name]), _code(values, True), _code(values, False))
            for name, values in procs.categories.items()
            if name in procs.marked
        ]
        for name, numbers in (
            ("filling", [procs.filled.get(name, np.nan) for name in procs.numbers]),
            ("mean", [procs.scaled.get(name, (0.0, 1.0))[0] for name in procs.numbers]),
            ("deviation", [procs.scaled.get(name, (0.0, 1.0))[1] for name in procs.numbers]),
        ):
            self.register_buffer(name, torch.tensor(numbers, dtype=torch.float64), persistent=False)

    def forward(self, positions: torch.Tensor | None = None, numbers: torch.Tensor | None = None) -> torch.Tensor:
        """Return the answers; `positions` is (n_rows, n_categories) of int64, `numbers` is a double matrix."""
        codes = [] if positions is None else list(positions.unbind(dim=1))
        if numbers is None:
            return self.activation(
                self.model(torch.stack(codes, dim=1), codes[0].new_zeros((len(codes[0]), 0)).float())
            )
        missing = torch.isnan(numbers)
        if self.fill:
            numbers = torch.where(missing, self.filling, numbers)
        if self.scale:
            numbers = (numbers - self.mean) / self.deviation
        marks = [torch.where(missing[:, column], yes, no) for column, yes, no in self.marks]
        ordered = [codes.pop(0) if name else marks.pop(0) for name in self.read]
        cats = torch.stack(ordered, dim=1) if ordered else numbers.new_zeros((len(numbers), 0)).long()
        return self.activation(self.model(cats, numbers.float()))


def sample(learner: Any, X: Any) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Return the columns that the learner reads, raw as before its preprocessing, and what they hold."""
    procs = _procs(learner)
    frame = as_frame(X)
    names = [*(name for name in procs.categories if name not in procs.marked), *procs.numbers]
    for name in names:
        if name not in frame.columns:
            raise TableError(
                f"the rows have no column '{name}', which the learner reads", hint=nearest(name, frame.columns)
            )
    frame = frame[names]
    # A learner reads a pandas category by its code, whatever the category is called: it gets the values.
    coded = [name for name in names if isinstance(frame[name].dtype, pd.CategoricalDtype)]
    frame = frame.astype(dict.fromkeys(coded, object))
    return frame, columns_of(frame)


def read(learner: Any, columns: tuple[Column, ...]) -> Reading:
    """Say how rows become what the learner's model takes.

    Raises
    ------
    RefusedError
        A step of the preprocessing is none of fastai's own, or a vocabulary holds dates.
    """
    procs = _procs(learner)
    known = {column.name: column for column in columns}
    categories = [name for name in procs.categories if name not in procs.marked]
    operations: list[Operation] = [_category(known[name], procs.categories[name]) for name in categories]
    operations += [Number(column=name, missing=known[name].missing) for name in procs.numbers]
    wires = []
    if categories:
        wires.append(Wire("positions", 0, (len(categories),), "int64"))
    if procs.numbers:
        wires.append(Wire("numbers", len(categories), (len(procs.numbers),), "float64"))
    return Reading(
        operations=tuple(operations),
        wires=tuple(wires),
        module=_Filled(learner, procs),
        guarded=bool(procs.numbers) and not procs.filled,
    )


def answers(learner: Any, frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return what the learner answers on raw rows."""
    return answers_of(learner, lambda: learner.dls.test_dl(frame, num_workers=0))


def _procs(learner: Any) -> _Procs:
    table = learner.dls.train_ds
    steps = {kind_name(step): step for step in transforms(table.procs)}
    for name in steps:
        if name not in _KNOWN | _TARGETS:
            raise RefusedError(
                f"{name}: this preprocessing of the table is none that can be lowered",
                hint=f"do it before, or use {', '.join(sorted(_KNOWN))}",
            )
    late = [step for step in transforms(learner.dls.valid.after_batch) if kind_name(step) != "ReadTabBatch"]
    if late:
        raise RefusedError(f"{kind_name(late[0])}: transforms of a batch of a table are not lowered", hint="use procs")
    filling, scaling, coding = (steps.get(name) for name in ("FillMissing", "Normalize", "Categorify"))
    filled = {} if filling is None else {str(name): float(value) for name, value in filling.na_dict.items()}
    marked = {f"{name}_na": name for name in filled} if filling is not None and filling.add_col else {}
    if len(table.cat_names) and coding is None:
        raise RefusedError("the learner reads categories by numbers of its own", hint="add Categorify to procs")
    return _Procs(
        categories={str(name): list(coding.classes[name].items)[1:] for name in table.cat_names} if coding else {},
        numbers=[str(name) for name in table.cont_names],
        filled=filled,
        marked=marked,
        scaled={}
        if scaling is None
        else {str(name): (float(scaling.means[name]), float(scaling.stds[name])) for name in table.cont_names},
    )


def _code(values: list[Any], wanted: bool) -> int:
    """Return the position of yes or no in a vocabulary; 0 is what it does not know."""
    return next((place for place, value in enumerate(values, start=1) if bool(value) is wanted), 0)


def _category(column: Column, values: list[Any]) -> Category:
    """Return the lookup of a column: position from 1, and 0 for what is missing or unseen."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    known: dict[str | float, int] = {}
    for place, value in enumerate(plain, start=1):
        if isinstance(value, bool):
            known |= dict.fromkeys(("True", *column.true) if value else ("False", *column.false), place)
        elif isinstance(value, str) or (isinstance(value, int | float) and abs(value) <= _MAX_EXACT):
            known[value] = place
    if len({type(value) for value in plain}) > 1 or len(known) < len(plain):
        raise RefusedError(
            f"the categories of column '{column.name}' are neither all texts nor all numbers",
            hint="turn them into texts before training",
        )
    return Category(
        column=column.name,
        missing=column.missing,
        categories=tuple(word if isinstance(word, str) else float(word) for word in known),
        values=tuple((float(place),) for place in known.values()),
        if_missing=(0.0,),
        if_unseen=(0.0,),
    )
