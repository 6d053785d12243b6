"""Look through a SavedModel before it is loaded: loading one runs functions that its file holds.

TensorFlow's operators can read and write files, print into them, call Python and talk to other machines. A SavedModel
is loaded only when everything that loading or answering can reach is arithmetic, and reading its own variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tf2onnx.tfonnx  # noqa: F401  # fills the table of operators
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tf2onnx.handler import tf_op

from shiplap.adapters.frameworks.tensorflow.convert import HANDLERS
from shiplap.core.errors import InputError, RefusedError

__all__ = ["require_harmless"]

_LARGEST = 1 << 31
_PLUMBING = frozenset(
    {
        *("_Arg", "_Retval", "AssignVariableOp", "DisableCopyOnRead", "PartitionedCall"),
        *("ReadVariableOp", "ResourceGather", "StatefulPartitionedCall", "VarHandleOp", "VarIsInitializedOp"),
    }
)


def require_harmless(folder: Path) -> None:
    """Refuse a SavedModel whose functions do more than compute.

    Parameters
    ----------
    folder : Path
        Where ``saved_model.pb`` lies.

    Raises
    ------
    InputError
        There is no such file, or it is no SavedModel of TensorFlow 2.
    RefusedError
        An operator that loading or answering reaches is none that is written as ONNX.
    """
    model = _parsed(folder / "saved_model.pb")
    known = _PLUMBING | set(HANDLERS) | {name for table in tf_op.get_opsets()[""] for name in table or {}}
    for graph in model.meta_graphs:
        functions = {function.signature.name: function for function in graph.graph_def.library.function}
        starts = _starts(graph, functions)
        for operator in sorted(_reached(starts, functions)):
            if operator not in known:
                raise RefusedError(
                    f"the SavedModel reaches the operator {operator}, which is none of those that compute numbers",
                    hint="save the model itself as .keras, or a tf.function of its arithmetic alone",
                )


def _parsed(path: Path) -> Any:
    if not path.is_file():
        raise InputError(
            f"{path.parent.name} holds no saved_model.pb", hint="pass the folder that tf.saved_model.save wrote"
        )
    if path.stat().st_size > _LARGEST:
        raise InputError(f"{path} is larger than a SavedModel can be")
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InputError(f"{path} is damaged: {error}", hint="save the model again") from error
    if not model.meta_graphs or not all(graph.HasField("object_graph_def") for graph in model.meta_graphs):
        raise InputError(f"{path} is no SavedModel of TensorFlow 2", hint="save it again with TensorFlow 2")
    return model


def _starts(graph: Any, functions: dict[str, Any]) -> list[Any]:
    """Return the nodes that loading or answering can run: of every function an object holds, and of the graph itself.

    What saves the variables again is reached through the graph's saver alone, which nothing here calls.
    """
    nodes = [node for name in graph.object_graph_def.concrete_functions for node in functions[name].node_def]
    saver = graph.saver_def.save_tensor_name.partition(":")[0], graph.saver_def.restore_op_name
    return nodes + [node for node in graph.graph_def.node if node.name not in saver]


def _reached(nodes: Iterable[Any], functions: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    seen: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node.op not in functions:
            found.add(node.op)
        for name in {node.op, *_called(node)} & functions.keys() - seen:
            seen.add(name)
            waiting.extend(functions[name].node_def)
    return found


def _called(node: Any) -> Iterator[str]:
    for value in node.attr.values():
        yield value.func.name
        yield from (function.name for function in value.list.func)
