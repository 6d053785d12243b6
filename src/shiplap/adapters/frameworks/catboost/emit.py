"""Emitters of CatBoost: numbers compared with float32 borders, categories by hash, target statistics from tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shiplap.adapters.frameworks.catboost.booster import Bin, Ensemble, Node, Statistic, read_model
from shiplap.adapters.frameworks.catboost.statistics import table_of
from shiplap.adapters.frameworks.lowering import Block, Cell, Context, Piece, Raw
from shiplap.adapters.frameworks.singles import around, at_most
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, softmax
from shiplap.adapters.frameworks.trees import Forest
from shiplap.core.encoding import Category

__all__ = ["classifier", "regressor"]

_INT64, _BOOL, _DOUBLE = 7, 9, 11
_LARGEST = 4_000_000
_EXPONENTIAL = "Exponent"


def classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a classifier: the probabilities of its classes."""
    del method
    raw = _raw(estimator, block, context)
    graph, count = context.graph, len(estimator.classes_)
    loss = str(_native(estimator).get_all_params().get("loss_function", ""))
    if loss.startswith(("MultiClassOneVsAll", "MultiLogloss", "MultiCrossEntropy")):
        return graph.op("Sigmoid", raw)
    if count == 2:
        return both_classes(context, graph.op("Sigmoid", raw))
    return softmax(context, raw)


def regressor(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a regressor or ranker: its prediction, one column a target or quantile."""
    del method
    raw = _raw(estimator, block, context)
    graph, native = context.graph, _native(estimator)
    kind = native._get_default_prediction_type() if hasattr(native, "_get_default_prediction_type") else ""
    if kind == _EXPONENTIAL:
        return graph.op("Exp", raw)
    if kind == "RMSEWithUncertainty":
        mean, spread = graph.columns(raw, [0]), graph.columns(raw, [1])
        variance = graph.op("Exp", graph.op("Mul", spread, graph.constant(np.array([2.0]))))
        return graph.op("Concat", mean, variance, axis=1)
    return raw


def _native(estimator: Any) -> Any:
    return getattr(estimator, "model", estimator)


def _raw(estimator: Any, block: Block, context: Context) -> str:
    """Sum the leaves of all trees, then scale and shift."""
    native = _native(estimator)
    if native.get_text_feature_indices() or native.get_embedding_feature_indices():
        raise context.refuse("it reads texts or embeddings", hint="turn them into numbers before CatBoost does")
    ensemble = read_model(native, getattr(estimator, "known", None) or {})
    features = _Features(ensemble, block, context)
    forest = Forest()
    for root, values in ensemble.trees:
        for target in range(values.shape[1]):
            leaves = [forest.leaf(target, value) for value in values[:, target].tolist()]
            forest.root(_add(forest, root, leaves, features))
    cells = features.cells()
    context.terms += len(ensemble.trees)
    context.forests.append((forest, cells))
    features.note()
    graph = context.graph
    total = forest.emit(graph, context.matrix(cells), n_targets=len(ensemble.bias))
    if ensemble.scale != 1.0:
        total = graph.op("Mul", total, graph.constant(np.array([ensemble.scale])))
    return graph.op("Add", total, graph.constant(ensemble.bias)) if ensemble.bias.any() else total


def _add(forest: Forest, node: Node | int, leaves: list[int], features: _Features) -> int:
    """Add a tree from below; a level of an oblivious tree may be as deep as 16, a branching tree deeper."""
    made: list[int] = []
    waiting: list[tuple[Node | int, bool]] = [(node, False)]
    while waiting:
        here, seen = waiting.pop()
        if isinstance(here, int):
            made.append(leaves[here])
        elif seen:
            yes, no = made.pop(), made.pop()
            made.append(features.split(forest, here.bin, no, yes))
        else:
            waiting += [(here, True), (here.yes, False), (here.no, False)]
    return made[0]


@dataclass
class _Features:
    """The cells that trees compare, added as they are asked for: numbers, codes of categories, statistics."""

    ensemble: Ensemble
    block: Block
    context: Context
    places: dict[tuple[str, int], int] = field(default_factory=dict)
    found: list[Cell] = field(default_factory=list)
    known: dict[int, dict[int, int]] = field(default_factory=dict)
    borders: dict[int, set[float]] = field(default_factory=dict)
    splits: dict[float, float] = field(default_factory=dict)

    def split(self, forest: Forest, question: Bin, no: int, yes: int) -> int:
        """Add a node that asks a question of a bin."""
        place = self.place(question.kind, question.column)
        if question.kind == "category":
            code = self.known[question.column].get(int(question.value))
            if code is None:
                raise self._strangers(question.column)
            return forest.member(place, [float(code)], yes, no)
        if question.kind == "statistic":
            return forest.node(place, question.value, no, yes)
        self.borders.setdefault(question.column, set()).add(question.value)
        low = not self.ensemble.nan_is_high.get(question.column, False)
        return forest.node(place, self.below(question.value), no, yes, missing_true=low)

    def below(self, border: float) -> float:
        """Return the largest double that CatBoost's cast does not lift above a border."""
        if border not in self.splits:
            self.splits[border] = float(at_most(np.array([border], np.float32))[0])
        return self.splits[border]

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells in their order."""
        if not self.found:
            raise self.context.refuse("its trees ask nothing", hint="a constant needs no ship")
        return tuple(self.found)

    def note(self) -> None:
        """Note the borders, the doubles at which float32 crosses them, and the float32 numbers on both sides."""
        for column, borders in self.borders.items():
            limits = np.array(sorted(borders), np.float32)
            self.context.split_on(self.found[self.places["number", column]], around(limits, at_most(limits)))

    def place(self, kind: str, column: int) -> int:
        """Return where a cell stands, making it first."""
        if (kind, column) not in self.places:
            cell = self._made(kind, column)
            self.places[kind, column] = len(self.found)
            self.found.append(cell)
        return self.places[kind, column]

    def _made(self, kind: str, column: int) -> Cell:
        if kind == "number":
            return self.context.number(self.block.pieces[column])
        if kind == "category":
            return self._code(column)
        return self._statistic(self.ensemble.statistics[column])

    def _code(self, column: int) -> Cell:
        """Return the code of a category: its place among the known ones, their number for every other."""
        piece = self.block.pieces[column]
        if not isinstance(piece, Raw) or column not in self.ensemble.hashes:
            raise self.context.refuse(
                f"categorical feature {self._name(piece, column)} is read inside a pipeline, where its categories "
                "are known by hash only",
                hint="pack the CatBoost model itself, or encode categories in a step before it",
            )
        source = self.context.source(piece)
        hashes = self.ensemble.hashes[column]
        self.known[column] = {value: code for code, value in enumerate(hashes)}
        if source.kind == "boolean":
            return self._yes_or_no(piece)
        texts: list[Any] = list(hashes.values())
        if source.kind == "number":
            texts = [float(text) for text in texts]
        values = tuple((float(code),) for code in range(len(texts)))
        unseen = (float(len(texts)),)
        if source.kind != "number" and "" not in texts:  # an empty text is a category like any other
            texts, values = [*texts, ""], (*values, unseen)
        return self.context.category(
            Category(
                column=source.name,
                missing=source.missing,
                categories=tuple(texts),
                values=values,
                if_missing=unseen,
                if_unseen=unseen,
            )
        )[0]

    def _yes_or_no(self, piece: Raw) -> Cell:
        """Return 0 and 1 as codes, which CatBoost hashes as the texts of these numbers; 2 for a missing value."""
        graph = self.context.graph
        tensor = self.context.matrix((self.context.number(piece),))
        code = graph.op("Where", graph.op("IsNaN", tensor), graph.constant(np.array([2.0])), tensor)
        return self.context.computed(code, 1, integral=True)[0]

    def _statistic(self, statistic: Statistic) -> Cell:
        """Look a target statistic up by the codes of its categories and the answers to its bins."""
        context, graph = self.context, self.context.graph
        codes = [self.found[self.place("category", column)] for column in statistic.columns]
        hashes = [list(self.known[column]) for column in statistic.columns]
        shape = [*(len(known) + 1 for known in hashes), *([2] * len(statistic.bins))]
        size = int(np.prod(shape, dtype=np.float64))
        if size > _LARGEST:
            raise context.refuse(
                f"a statistic of {len(shape)} features at once has {size:,} combinations",
                hint="train with max_ctr_complexity=1, or encode categories in a step before it",
            )
        table, strangers = table_of(statistic, hashes)
        if strangers:
            raise self._strangers(statistic.columns[0])
        steps = np.append(np.cumprod(shape[::-1])[-2::-1], 1).astype(np.float64)
        answers = [context.matrix((code,)) for code in codes] + [self._answer(one) for one in statistic.bins]
        whole = answers[0] if len(answers) == 1 else graph.op("Concat", *answers, axis=1)
        index = graph.op("MatMul", whole, graph.constant(steps[:, None]))
        value = graph.op("Gather", graph.constant(table.ravel()), graph.op("Cast", index, to=_INT64), axis=0)
        return context.computed(value, 1)[0]

    def _answer(self, question: Bin) -> str:
        """Answer a question of a bin with 1 or 0."""
        context, graph = self.context, self.context.graph
        cell = context.matrix((self.found[self.place(question.kind, question.column)],))
        if question.kind == "category":
            code = float(self.known[question.column].get(int(question.value), -1))
            return graph.op("Cast", graph.op("Equal", cell, graph.constant(np.array([code]))), to=_DOUBLE)
        above = graph.op("Greater", cell, graph.constant(np.array([self.below(question.value)])))
        if self.ensemble.nan_is_high.get(question.column, False):
            above = graph.op("Or", above, graph.op("IsNaN", cell))
        return graph.op("Cast", above, to=_DOUBLE)

    def _name(self, piece: Piece, column: int) -> str:
        return f"'{piece.name}'" if isinstance(piece, Raw) else f"number {column}"

    def _strangers(self, column: int) -> Exception:
        return self.context.refuse(
            f"categorical feature {self._name(self.block.pieces[column], column)} has categories that the given rows "
            "do not hold, and the model knows them by hash only",
            hint="give all training rows as X",
        )
