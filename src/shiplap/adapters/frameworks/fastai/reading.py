"""What a learner's data loaders do to a row before its model sees it, and how a learner is asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shiplap.adapters.frameworks.neural import Wire
from shiplap.adapters.frameworks.torch.modules import answering
from shiplap.core.encoding import Operation
from shiplap.core.errors import RefusedError

__all__ = ["Reading", "activated", "answers_of", "kind_name", "transforms"]

_REFUSALS = (AssertionError, RuntimeError, IndexError, KeyError, TypeError, AttributeError, OSError)


@dataclass(frozen=True)
class Reading:
    """How the rows of a learner are read.

    Parameters
    ----------
    operations : tuple of Operation
        What the encoder does.
    wires : tuple of Wire
        Which of the numbers each input of `module` takes.
    module : Module
        From these to the learner's answers.
    guarded : bool
        Whether a missing number makes the whole answer NaN.
    """

    operations: tuple[Operation, ...]
    wires: tuple[Wire, ...]
    module: Any = field(repr=False)
    guarded: bool = False


def kind_name(thing: Any) -> str:
    """Return the name of a transform's class, or of the function that it is.

    Examples
    --------
    >>> kind_name([]), kind_name(len)
    ('list', 'len')
    """
    return str(getattr(thing, "__name__", type(thing).__name__))


def transforms(pipeline: Any) -> list[Any]:
    """Return the transforms of a pipeline in order, those that do nothing left out."""
    return [step for step in getattr(pipeline, "fs", ()) if kind_name(step) != "noop"]


def activated(learner: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what ``get_preds`` does to the model's output: the activation of the loss."""
    found: Callable[[torch.Tensor], torch.Tensor] = getattr(learner.loss_func, "activation", torch.nn.Identity())
    return found


def answers_of(learner: Any, loader: Callable[[], Any]) -> NDArray[np.float64]:
    """Return what a learner's ``get_preds`` answers, shape (n_rows, n_outputs).

    Parameters
    ----------
    learner : Learner
        Its progress bars and log stay silent.
    loader : callable
        Makes the data loader of the rows.

    Raises
    ------
    ValueError
        The learner refuses the rows.
    """
    with warnings.catch_warnings(), answering(learner.model), learner.no_bar(), learner.no_logging():
        warnings.simplefilter("ignore")
        try:
            answer = learner.get_preds(dl=loader())[0]
        except _REFUSALS as error:
            raise ValueError(f"the learner cannot answer these rows: {type(error).__name__}: {error}"[:300]) from error
    if not isinstance(answer, torch.Tensor):
        raise RefusedError(
            "the learner's model gives several outputs", hint="pack learner.model as a module of PyTorch"
        )
    numbers: NDArray[np.float64] = answer.numpy().astype(np.float64)
    return numbers.reshape(len(numbers), -1)
