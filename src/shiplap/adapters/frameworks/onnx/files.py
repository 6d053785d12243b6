"""Open an ONNX file, with the weights that lie beside it; those beyond 2 GB stay where they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from shiplap.adapters.frameworks.onnx.outside import size_outside
from shiplap.core.errors import InputError

__all__ = ["LargeOnnx", "load"]

_LARGEST = 2**31 - 2**24
"""What one message of Protocol Buffers holds, with room for the nodes that a ship puts around it."""


@dataclass(frozen=True, eq=False)
class LargeOnnx:
    """An ONNX model whose weights are too many for one message.

    Parameters
    ----------
    path : Path
        The file.
    proto : onnx.ModelProto
        The model, without the weights that lie beside it.
    """

    path: Path
    proto: onnx.ModelProto = field(repr=False)


def load(path: Path) -> onnx.ModelProto | LargeOnnx:
    """Read an ``.onnx`` file; tensors in other files are read too where they lie beside it or below.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    onnx.ModelProto or LargeOnnx
        The model; without its weights where all together are more than one message holds.

    Raises
    ------
    InputError
        It cannot be read, is no ONNX model, or reaches for a file outside its folder.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node:
            raise InputError(f"'{path}' is no ONNX model: it has no nodes")
        if path.stat().st_size + size_outside(model.graph, path.parent) > _LARGEST:
            return LargeOnnx(path, model)
        onnx.load_external_data_for_model(model, str(path.parent))
    except DecodeError as error:
        raise InputError(
            f"'{path}' is no ONNX model", hint="such files are made by torch.onnx.export, for one"
        ) from error
    except OSError as error:
        raise InputError(f"'{error.filename or path}' cannot be read: {error.strerror}") from error
    except (onnx.checker.ValidationError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"the weights beside '{path}' cannot be read: {reason}", hint="keep the files together"
        ) from error
    return model
