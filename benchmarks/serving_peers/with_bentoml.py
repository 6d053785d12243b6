"""BentoML, one worker: the service that ``bentoml serve with_bentoml:Late`` starts; the model is in the environment."""

import os
from typing import Any

import bentoml
from answering import answering


@bentoml.service(workers=1, traffic={"timeout": 60})
class Late:
    def __init__(self) -> None:
        self.answer = answering(os.environ["PEER_KIND"], os.environ["PEER_FOLDER"])

    @bentoml.api
    async def predict(self, columns: dict[str, list[Any]]) -> list[list[float]]:
        return self.answer(columns)
