"""Open an ONNX file, with the weights that lie beside it."""

from __future__ import annotations

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from shiplap.core.errors import InputError

__all__ = ["load"]


def load(path: Path) -> onnx.ModelProto:
    """Read an ``.onnx`` file; tensors in other files are read too where they lie beside it or below.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        It cannot be read, is no ONNX model, or reaches for a file outside its folder.
    """
    try:
        model = onnx.load(path, load_external_data=False)
        if not model.graph.node:
            raise InputError(f"'{path}' is no ONNX model: it has no nodes")
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
