"""LitServe, one worker.  with_litserve.py KIND FOLDER PORT"""

import sys

import litserve
from answering import answering

kind, folder, port = sys.argv[1:]


class Late(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.answer = answering(kind, folder)

    def decode_request(self, request: dict) -> dict:
        return request["columns"]

    def predict(self, columns: dict) -> list:
        return self.answer(columns)

    def encode_response(self, output: list) -> dict:
        return {"probabilities": output}


if __name__ == "__main__":
    server = litserve.LitServer(Late(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(port), num_api_servers=1, generate_client_file=False, log_level="warning")
