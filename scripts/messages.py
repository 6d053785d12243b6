"""Compile the messages of gRPC services: every .proto file of the folder into one descriptor set.

    .venvs/serving/bin/python scripts/messages.py

The server builds its messages from the descriptor set in a pool of their own when it starts, so generated code, which
asks for one version of protobuf and would clash with the stubs of a client in the same process, is not needed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grpc_tools import _proto, protoc

FOLDER = Path(__file__).parents[1] / "src/shiplap/engineer/deploy/serve/rpc/messages"


def compile_messages(target: Path) -> int:
    """Write the descriptor set to `target`; return the exit code of the compiler."""
    files = sorted(path.name for path in FOLDER.glob("*.proto"))
    shipped = Path(next(iter(_proto.__path__)))  # of google.protobuf
    command = ["protoc", f"-I{FOLDER}", f"-I{shipped}", "--include_imports", f"--descriptor_set_out={target}", *files]
    return int(protoc.main(command))


if __name__ == "__main__":
    sys.exit(compile_messages(FOLDER / "messages.binpb"))
