"""The fastai adapter: a learner's data loaders go to the encoder, its model and activation to the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from shiplap.adapters.frameworks.fastai import tabular, vision
from shiplap.adapters.frameworks.fastai.reading import Reading
from shiplap.adapters.frameworks.neural import wrap
from shiplap.adapters.frameworks.protocol import Ask, Lowered
from shiplap.adapters.frameworks.torch.export import exported
from shiplap.adapters.frameworks.torch.modules import answering, require_plain
from shiplap.core.brief import Label, OutputTask
from shiplap.core.encoding import Encoding
from shiplap.core.errors import RefusedError
from shiplap.core.schema import Column

__all__ = ["FASTAI", "FastAI"]

_LARGEST = 1e6
_DTYPES = {"int64": torch.int64, "float32": torch.float32, "float64": torch.float64}


class FastAI:
    """Lowers tabular and vision learners, and asks them for their own answers by ``get_preds``."""

    name = "fastai"

    def sample(self, X: Any, model: Any = None) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return raw rows as the learner's data loaders take them, and what their columns hold."""
        frame, columns = _kind(model).sample(model, X)
        return frame, columns

    def lower(
        self, model: Any, frame: Any, columns: tuple[Column, ...], *, canonical: bool = False, ask: Ask = Ask()
    ) -> Lowered:
        """Lower a learner; see `Framework.lower`."""
        del canonical
        require_plain(model.model)
        reading = _kind(model).read(model, columns)
        width = sum(operation.width for operation in reading.operations)
        few = self.outputs(model, frame.iloc[:64], ask)
        task, classes, names = _meaning(model, few, ask)
        both = "probability" if len(classes) == 2 and few.shape[1] == 1 else ""
        return Lowered(
            encoding=Encoding(operations=reading.operations),
            graph=wrap(_proto(model, reading), reading.wires, width=width, both=both, guarded=reading.guarded),
            task=task,
            classes=classes,
            dtype="float32",
            terms=1,
            columns=columns,
            thresholds={},
            paths=(),
            probes=list,
            outputs=names,
            answers=lambda rows: _columns(self.outputs(model, rows, ask), both),
            largest=_LARGEST,
        )

    def outputs(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[np.float64]:
        """Return what ``get_preds`` answers: the activation of the loss is applied."""
        if ask.preprocess is not None or ask.method:
            raise RefusedError(
                "a learner brings its own preprocessing and answers by get_preds",
                hint="leave out preprocess and method",
            )
        answers: NDArray[np.float64] = _kind(model).answers(model, frame)
        return answers

    def labels(self, model: Any, frame: Any, ask: Ask = Ask()) -> NDArray[Any]:
        """Return the class that the learner's ``predict`` decodes: that of the first largest probability."""
        answers = self.outputs(model, frame, ask)
        _, classes, _ = _meaning(model, answers, ask)
        both = "probability" if answers.shape[1] == 1 else ""
        labels: NDArray[Any] = np.array(classes)[_columns(answers, both).argmax(axis=1)]
        return labels


FASTAI = FastAI()


def _kind(learner: Any) -> Any:
    """Return the module that knows the learner's kind of data."""
    loaders = getattr(learner, "dls", None)
    if loaders is None or not len(loaders.loaders):
        raise RefusedError("the learner has no data loaders, which know how rows are read", hint="set learner.dls")
    if hasattr(loaders.train_ds, "procs"):
        return tabular
    if type(loaders.valid).__name__ == "TfmdDL" and hasattr(loaders.valid_ds, "tfms"):
        return vision
    raise RefusedError(
        f"a learner on {type(loaders.train_ds).__name__} is neither tabular nor of images",
        hint="pack learner.model as a module of PyTorch, with tensors as rows",
    )


def _proto(learner: Any, reading: Reading) -> Any:
    rows = {wire.name: torch.zeros((3, *wire.shape), dtype=_DTYPES[wire.dtype]) for wire in reading.wires}
    with answering(reading.module):
        return exported(reading.module, rows, None)


def _columns(answers: NDArray[np.float64], both: str) -> NDArray[np.float64]:
    return np.hstack([1.0 - answers, answers]) if both else answers


def _meaning(
    learner: Any, answers: NDArray[np.float64], ask: Ask
) -> tuple[OutputTask, tuple[Label, ...], tuple[str, ...]]:
    """Say what the answers are: probabilities of the vocabulary's classes, or numbers."""
    vocabulary = getattr(learner.dls, "vocab", None)
    if isinstance(vocabulary, list | tuple) and vocabulary and not isinstance(vocabulary[-1], str | int | float):
        vocabulary = vocabulary[-1]  # the inputs' vocabulary stands before the targets'
    classes = ask.classes or tuple(_plain(value) for value in vocabulary or ())
    n_outputs = answers.shape[1]
    if classes and n_outputs in {len(classes), 1} and _is_distribution(answers, len(classes)):
        return ("binary" if len(classes) == 2 else "multiclass"), classes, ()
    if n_outputs == 1:
        return "regression", (), ()
    names = classes if len(classes) == n_outputs else getattr(learner.dls.train_ds, "y_names", ())
    if len(names) != n_outputs:
        names = tuple(f"y{index}" for index in range(n_outputs))
    return "tensor", (), tuple(map(str, names))


def _plain(value: Any) -> Label:
    label: Label = value.item() if isinstance(value, np.generic) else value
    return label


def _is_distribution(answers: NDArray[np.float64], n_classes: int) -> bool:
    if answers.shape[1] == 1:
        return n_classes == 2 and bool(((answers >= 0) & (answers <= 1)).all())
    return bool((answers >= 0).all() and np.allclose(answers.sum(axis=1), 1.0, atol=1e-3))
