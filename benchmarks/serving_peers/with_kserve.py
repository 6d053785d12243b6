"""KServe's own model server, protocol v1.  with_kserve.py KIND FOLDER PORT"""

import sys

from answering import answering, as_columns
from kserve import Model, ModelServer

kind, folder, port = sys.argv[1:]


class Late(Model):
    def __init__(self) -> None:
        super().__init__("late")
        self.answer = answering(kind, folder)
        self.ready = True

    async def predict(self, payload: dict, headers: dict | None = None, response_headers: dict | None = None) -> dict:
        return {"predictions": self.answer(as_columns(payload["instances"]))}


if __name__ == "__main__":
    ModelServer(http_port=int(port), enable_grpc=False, workers=1, access_log_format=None).start([Late()])
