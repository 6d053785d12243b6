"""A CatBoost model as trees and tables, read from its own JSON export."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import catboost
import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Bin", "Ensemble", "Node", "Statistic", "read_model"]

_EMPTY = str(2**64 - 1)  # how the export marks an unused place of a hash table


@dataclass(frozen=True)
class Bin:
    """A question about one column: whether a number lies above a border, or a category has a hash.

    Parameters
    ----------
    column : int
        Position among the columns of the model's input; of the statistics, for `kind` ``statistic``.
    kind : {"number", "category", "statistic"}
        What is asked about.
    value : float
        The border, a float32; or the hash of a category.
    """

    column: int
    kind: str
    value: float


@dataclass(frozen=True)
class Node:
    """A split; children are nodes, or positions of leaves."""

    bin: Bin
    no: Node | int
    yes: Node | int


@dataclass(frozen=True)
class Statistic:
    """A target statistic: what the training rows with the same categories, and the same bins, had for a target.

    Parameters
    ----------
    columns : tuple of int
        Categorical columns, in the order in which their hashes are combined.
    bins : tuple of Bin
        Questions that are combined with them.
    table : dict of int to list of float
        Counts, or sum and count, by combined hash.
    kind : str
        CatBoost's name of it: ``Borders``, ``Buckets``, ``Counter`` ...
    denominator : int
        What counts of a ``Counter`` are divided by.
    border : int
        Class of the target that is counted, or above which is counted.
    numbers : tuple of float
        Numerator and denominator of the prior, shift and scale.
    """

    columns: tuple[int, ...]
    bins: tuple[Bin, ...]
    table: dict[int, list[float]] = field(repr=False)
    kind: str
    denominator: int
    border: int
    numbers: tuple[float, float, float, float]


@dataclass(frozen=True)
class Ensemble:
    """A whole model.

    Parameters
    ----------
    trees : list of (Node or int, ndarray)
        Root and leaf values of shape (n_leaves, n_outputs) of each tree.
    nan_is_high : dict of int to bool
        Of each numeric column that is used: whether a missing value lies above all borders.
    statistics : list of Statistic
        In the order in which nodes name them.
    scale : float
        What the sum is multiplied by.
    bias : ndarray
        What is added to it, output by output.
    hashes : dict of int to (dict of int to str)
        Of each categorical column whose categories are known: they by their hash.
    """

    trees: list[tuple[Node | int, NDArray[np.float64]]] = field(repr=False)
    nan_is_high: dict[int, bool]
    statistics: list[Statistic] = field(repr=False)
    scale: float
    bias: NDArray[np.float64]
    hashes: dict[int, dict[int, str]] = field(repr=False)


def read_model(model: Any, known: dict[int, list[str]]) -> Ensemble:
    """Read a fitted CatBoost model; the library tells the hashes of the categories that are `known` by column."""
    form = _export(model, _pool(model, known) if known else None)
    features = form["features_info"]
    flat = {
        kind: {one["feature_index"]: one["flat_feature_index"] for one in features.get(f"{kind}_features", [])}
        for kind in ("float", "categorical")
    }
    statistics = features.get("ctrs", [])
    bins = _statistic_bins(features)
    scale, bias = form["scale_and_bias"]
    hashes = {one["value"]: int(one["hash"]) for one in features.get("cat_features_hash", [])}
    n_outputs = len(bias)
    reader = _Reader(flat["float"], flat["categorical"], bins)
    return Ensemble(
        trees=[reader.oblivious(tree, n_outputs) for tree in form.get("oblivious_trees", [])]
        + [reader.branching(tree, n_outputs) for tree in form.get("trees", [])],
        nan_is_high={
            one["flat_feature_index"]: one["nan_value_treatment"] == "AsTrue" and one["has_nans"]
            for one in features.get("float_features", [])
            if one.get("borders")
        },
        statistics=[reader.statistic(one, form["ctr_data"][one["identifier"]]) for one in statistics],
        scale=float(scale),
        bias=np.array(bias, np.float64),
        hashes={column: {hashes[text]: text for text in texts} for column, texts in known.items()},
    )


def _export(model: Any, pool: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json", pool=pool)
        form: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return form


def _pool(model: Any, known: dict[int, list[str]]) -> Any:
    """Return rows that hold every known category; the export names the categories of its rows with their hashes."""
    length = max(1, *(len(texts) for texts in known.values()))
    columns = {
        place: [*known[place], *[""] * (length - len(known[place]))] if place in known else [0.0] * length
        for place in range(len(model.feature_names_))
    }
    rows = pd.DataFrame(columns).set_axis(model.feature_names_, axis=1)
    return catboost.Pool(rows, cat_features=sorted(known))


def _statistic_bins(features: dict[str, Any]) -> dict[int, Bin]:
    """Number the borders of statistics as splits do: after all borders of numbers and all values of categories."""
    start = sum(len(one.get("borders") or []) for one in features.get("float_features", []))
    start += sum(len(one.get("values") or []) for one in features.get("categorical_features", []))
    borders = [(place, value) for place, one in enumerate(features.get("ctrs", [])) for value in one["borders"]]
    return {start + index: Bin(place, "statistic", value) for index, (place, value) in enumerate(borders)}


@dataclass(frozen=True)
class _Reader:
    """Reads the parts of an export; knows where numeric and categorical features stand among the columns."""

    numbers: dict[int, int]
    categories: dict[int, int]
    statistics: dict[int, Bin]

    def oblivious(self, tree: dict[str, Any], n_outputs: int) -> tuple[Node | int, NDArray[np.float64]]:
        """Unfold a tree that asks the same question on a whole level; the first one is the lowest bit of the leaf."""
        values = np.array(tree["leaf_values"], np.float64).reshape(-1, n_outputs)
        level: list[Node | int] = list(range(len(values)))
        for split in tree.get("splits") or []:
            question = self.bin(split)
            level = [Node(question, level[place], level[place + 1]) for place in range(0, len(level), 2)]
        return level[0], values

    def branching(self, tree: dict[str, Any], n_outputs: int) -> tuple[Node | int, NDArray[np.float64]]:
        """Read a tree of its own shape, however deep."""
        values: list[Any] = []
        made: list[Node | int] = []
        waiting = [(tree, False)]
        while waiting:
            here, seen = waiting.pop()
            if "split" not in here:
                made.append(len(values))
                values.append(here["value"])
            elif seen:
                yes, no = made.pop(), made.pop()
                made.append(Node(self.bin(here["split"]), no, yes))
            else:
                waiting += [(here, True), (here["right"], False), (here["left"], False)]
        return made[0], np.array(values, np.float64).reshape(-1, n_outputs)

    def bin(self, split: dict[str, Any]) -> Bin:
        """Read the question of a split."""
        if split["split_type"] == "FloatFeature":
            return Bin(self.numbers[split["float_feature_index"]], "number", split["border"])
        if split["split_type"] == "OneHotFeature":
            return Bin(self.categories[split["cat_feature_index"]], "category", _unsigned(split["value"]))
        return self.statistics[split["split_index"]]

    def statistic(self, fields: dict[str, Any], data: dict[str, Any]) -> Statistic:
        """Read a target statistic and its table."""
        columns, bins = [], []
        for element in fields["elements"]:
            kind = element["combination_element"]
            if kind == "cat_feature_value":
                columns.append(self.categories[element["cat_feature_index"]])
            elif kind == "float_feature":
                bins.append(Bin(self.numbers[element["float_feature_index"]], "number", element["border"]))
            else:
                value = _unsigned(element["value"])
                bins.append(Bin(self.categories[element["cat_feature_index"]], "category", value))
        content, stride = data["hash_map"], data["hash_stride"]
        return Statistic(
            columns=tuple(columns),
            bins=tuple(bins),
            table={
                int(content[place]): [float(value) for value in content[place + 1 : place + stride]]
                for place in range(0, len(content), stride)
                if content[place] != _EMPTY
            },
            kind=fields["ctr_type"],
            denominator=int(data.get("counter_denominator", 0)),
            border=int(fields["target_border_idx"]),
            numbers=tuple(float(fields[key]) for key in ("prior_numerator", "prior_denomerator", "shift", "scale")),  # type: ignore[arg-type]
        )


def _unsigned(value: int) -> int:
    return int(value) & 0xFFFFFFFF
