"""A LightGBM model as arrays, read from its own text form, where every double is written with 17 digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

__all__ = ["Ensemble", "LinearLeaf", "Tree", "fields_of", "read_booster", "tree_of"]


@dataclass(frozen=True)
class LinearLeaf:
    """What a leaf of a linear tree computes where none of its features is missing."""

    constant: float
    features: list[int]
    coefficients: list[float]


@dataclass(frozen=True)
class Tree:
    """One tree; children below zero are leaves, ``-1 - leaf``; `linear` is empty where leaves are constants."""

    feature: list[int]
    threshold: list[float]
    decision: list[int]
    left: list[int]
    right: list[int]
    leaf: list[float]
    boundaries: list[int]
    bits: list[int]
    linear: list[LinearLeaf]

    def members(self, node: int) -> list[float]:
        """Return the categories that go left at a categorical node."""
        place = int(self.threshold[node])
        words = self.bits[self.boundaries[place] : self.boundaries[place + 1]]
        return [float(32 * word + bit) for word, value in enumerate(words) for bit in range(32) if value >> bit & 1]


@dataclass(frozen=True)
class Ensemble:
    """A whole model.

    Parameters
    ----------
    trees : list of Tree
        In order; tree ``i`` belongs to output ``i % per_iteration``.
    per_iteration : int
        Outputs.
    objective : str
        Name, empty for a custom one.
    options : dict of str to str
        What follows the objective's name (``sigmoid``, ``sqrt`` ...).
    averaged : bool
        Whether iterations are averaged, as in random-forest mode.
    """

    trees: list[Tree]
    per_iteration: int
    objective: str
    options: dict[str, str]
    averaged: bool

    @property
    def linear(self) -> bool:
        """Whether leaves hold linear models."""
        return any(tree.linear for tree in self.trees)


def read_booster(booster: Any) -> Ensemble:
    """Read a ``lightgbm.Booster``, up to its best iteration where it was stopped early."""
    text: str = booster.model_to_string()
    head, *bodies = text.split("\nTree=")
    fields = fields_of(head)
    name, *options = fields.get("objective", "").split(" ")
    bodies = [body.partition("\nend of trees")[0] for body in bodies]
    pairs = [option.partition(":") for option in options]
    return Ensemble(
        trees=[tree_of(fields_of(body)) for body in bodies],
        per_iteration=int(fields["num_tree_per_iteration"]),
        objective=name,
        options={key: value for key, _, value in pairs},
        averaged="average_output" in head.splitlines(),
    )


def fields_of(text: str) -> dict[str, str]:
    """Read lines of ``key=value``."""
    return {key: value for key, _, value in (line.partition("=") for line in text.splitlines())}


def tree_of(fields: dict[str, str]) -> Tree:
    """Read one tree."""

    def integers(key: str) -> list[int]:
        return [int(word) for word in fields.get(key, "").split()]

    def doubles(key: str) -> list[float]:
        return [float(word) for word in fields.get(key, "").split()]

    single = fields["num_leaves"] == "1"
    return Tree(
        feature=[] if single else integers("split_feature"),
        threshold=[] if single else doubles("threshold"),
        decision=[] if single else integers("decision_type"),
        left=[] if single else integers("left_child"),
        right=[] if single else integers("right_child"),
        leaf=doubles("leaf_value")[: int(fields["num_leaves"])],
        boundaries=integers("cat_boundaries"),
        bits=integers("cat_threshold"),
        linear=_linear(fields, integers, doubles) if fields.get("is_linear") == "1" else [],
    )


def _linear(
    fields: dict[str, str], integers: Callable[[str], list[int]], doubles: Callable[[str], list[float]]
) -> list[LinearLeaf]:
    """Cut the features and coefficients of all leaves into those of each."""
    if fields["num_leaves"] == "1":
        return []
    features, coefficients = iter(integers("leaf_features")), iter(doubles("leaf_coeff"))
    return [
        LinearLeaf(constant, list(islice(features, count)), list(islice(coefficients, count)))
        for constant, count in zip(doubles("leaf_const"), integers("num_features"), strict=True)
    ]
