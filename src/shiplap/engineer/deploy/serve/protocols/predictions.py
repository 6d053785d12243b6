"""`Predictions`: a ship behind the protocols that answer ``{"predictions": [...]}``, one value a row.

=========================================  =========================================================================
asked for                                  a value is
=========================================  =========================================================================
``predict`` (where nothing is asked for)   the label, the number, or the tensor: an object where its numbers have
                                           names, else nested lists
``predict_proba``, ``decision_function``   the probability, or the score, of each class as a list
``decide``                                 the decision of the policy
=========================================  =========================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from shiplap.core.errors import nearest
from shiplap.engineer.deploy.serve.http.exchange import JSON, Exchange
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Steps
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.engineer.deploy.serve.protocols.rows import Row, Rows

__all__ = ["Predictions", "Render"]

Outputs = NDArray[np.float64]
Render = Callable[[Outputs], bytes]


class Predictions:
    """Reads rows, answers them, and gives the values.

    Parameters
    ----------
    model : Hosted
        The ship.
    """

    def __init__(self, model: Hosted) -> None:
        self.model = model
        self.signature = model.scorer.signature
        self.rows = Rows(self.signature, model.limits)
        decider, names = model.scorer.decider, self.signature.outputs
        self._methods: dict[str, Callable[[Outputs], list[Any]]] = {"predict": self._predicted}
        if self.signature.task == "tensor":
            return
        self._methods["decide"] = lambda outputs: decider.decisions(outputs).tolist()
        if self.signature.classes and not names:
            known = "decision_function" if self.signature.scores else "predict_proba"
            self._methods[known] = lambda outputs: outputs.tolist()

    def method(self, name: object) -> Callable[[Outputs], list[Any]]:
        """Return what gives the values that are asked for; raises ``ProblemError`` (422)."""
        found = self._methods.get(name) if isinstance(name, str) else None
        if found is None:
            hint = nearest(str(name), self._methods)
            raise ProblemError(422, "this is nothing the model can be asked for", value=str(name), hint=hint)
        return found

    def answer(
        self, exchange: Exchange, read: Callable[[bytes], tuple[list[Row], Render]], media_type: str = JSON
    ) -> None:
        """Answer the rows that `read` finds in the body: one row with the others of this turn, many step by step.

        Parameters
        ----------
        exchange : Exchange
            The request.
        read : callable
            ``read(body)`` returns the rows, and what makes the answer of their outputs.
        media_type : str
            Content type of the answer.
        """
        model = self.model
        if len(exchange.body) > model.inline_bytes:
            model.read_and_work(exchange, self._whole(exchange, read), media_type=media_type)
            return
        rows, render = read(exchange.body)
        if len(rows) != 1:
            exchange.answer(render(model.outputs(rows, exchange)), media_type=media_type)
        elif media_type == JSON:
            model.answer_row(rows[0], exchange, lambda exchange, output: exchange.answer_json(render(_one(output))))
        else:
            model.answer_row(
                rows[0], exchange, lambda exchange, output: exchange.answer(render(_one(output)), media_type=media_type)
            )

    def render(self, method: object = "predict", member: str = "predictions") -> Render:
        """Return what makes ``{"predictions": [...]}`` of outputs."""
        values = self.method(method)
        return lambda outputs: msgspec.json.encode({member: values(outputs)})

    def _whole(self, exchange: Exchange, read: Callable[[bytes], tuple[list[Row], Render]]) -> Steps[bytes]:
        rows, render = read(exchange.body)
        outputs = yield from self.model.listed(rows, exchange)
        yield
        return render(outputs)

    def _predicted(self, outputs: Outputs) -> list[Any]:
        signature = self.signature
        if signature.shape:
            return list(outputs.reshape(len(outputs), *signature.shape).tolist())
        if signature.outputs:
            return [dict(zip(signature.outputs, row, strict=True)) for row in outputs.tolist()]
        return list(self.model.scorer.decider.labels(outputs).tolist())


def _one(output: list[float]) -> Outputs:
    return np.array([output])
