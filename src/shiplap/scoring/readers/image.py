"""Images: files of pixels, decoded, fitted to a fixed size, and written as the numbers 0 to 255."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiplap.core.encoding import Image
from shiplap.core.errors import MissingExtraError
from shiplap.scoring.values import UnreadableError, stripped

__all__ = ["MAX_BYTES", "MAX_PIXELS", "ImageReader"]

MAX_BYTES = 32 * 2**20
"""Bytes of an image file that are read at most."""
MAX_PIXELS = 50_000_000
"""Pixels that are decoded at most; what a file says of its size is looked at before anything is decoded."""

_FORMATS = ("PNG", "JPEG")
_EXPECTED = "an image: the bytes of a PNG or JPEG file, the same as base64 text, or an array of bytes (rows, columns)"
_NUMPY_PAD = {"border": "edge", "reflection": "reflect"}
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)


class ImageReader:
    """Reads images.

    Parameters
    ----------
    operation : Image
        What is to be read.

    Raises
    ------
    MissingExtraError
        Pillow, which decodes images, is not installed.

    Examples
    --------
    >>> reader = ImageReader(Image(column="photo", size=(1, 2), mode="L"))
    >>> reader.one(np.array([[10, 20], [30, 40]], np.uint8))
    (20.0, 30.0)
    """

    def __init__(self, operation: Image) -> None:
        try:
            from PIL import Image as pillow  # noqa: PLC0415, N813  (an extra, and only ships with images need it)
        except ImportError as error:
            raise MissingExtraError("reading images", extra="image") from error
        self._pillow = pillow
        self._bombs = (pillow.DecompressionBombError, pillow.DecompressionBombWarning)
        self._resample = pillow.Resampling[operation.resample.upper()]
        self.column = operation.column
        self.width = operation.width
        self._operation = operation

    def flat(self, value: object) -> NDArray[np.float64]:
        """Return the numbers of one image, shape (width,), channel by channel; raises ``UnreadableError``."""
        try:
            fitted = self._fitted(self._decoded(value))
        except self._bombs:
            raise UnreadableError(f"an image of at most {MAX_PIXELS:,} pixels") from None
        except _BROKEN:
            raise UnreadableError(_EXPECTED) from None
        pixels = np.asarray(fitted)
        if pixels.ndim == 3:
            pixels = pixels.transpose(2, 0, 1)
        return pixels.astype(np.float64).ravel()

    def one(self, value: object) -> tuple[float, ...]:
        """Return the numbers of one image in a tuple; raises ``UnreadableError``."""
        return tuple(self.flat(value).tolist())

    def many(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return the numbers of images, shape (n_rows, width); raises ``UnreadableError``."""
        out = np.empty((len(values), self.width))
        for row, value in enumerate(values):
            out[row] = self.flat(value)
        return out

    def array(self, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return None: an image is read by itself."""
        del values
        return None

    def _decoded(self, value: object) -> Any:
        """Return a Pillow image of the operation's mode."""
        if isinstance(value, np.ndarray):
            if value.dtype != np.uint8 or value.ndim not in {2, 3} or value.size > 4 * MAX_PIXELS:
                raise UnreadableError(_EXPECTED)
            found = self._pillow.fromarray(value)
        else:
            found = self._pillow.open(io.BytesIO(_bytes_of(value)), formats=_FORMATS)
            if found.size[0] * found.size[1] > MAX_PIXELS:
                raise UnreadableError(f"an image of at most {MAX_PIXELS:,} pixels")
            found.load()
        found.info.pop("transparency", None)  # what lies behind is no part of the answer, and Pillow warns of it
        return found.convert(self._operation.mode)

    def _fitted(self, image: Any) -> Any:
        height, width = self._operation.size
        left, top, wide, high = _window(image.size, (width, height), self._operation.resize)
        right, bottom = left + wide, top + high
        inner = (max(left, 0), max(top, 0), min(right, image.size[0]), min(bottom, image.size[1]))
        margins = (inner[0] - left, inner[1] - top, right - inner[2], bottom - inner[3])
        cut = image.crop(inner)
        if any(margins):
            cut = self._padded(cut, margins)
        return cut.resize((width, height), self._resample)

    def _padded(self, image: Any, margins: tuple[int, int, int, int]) -> Any:
        left, top, right, bottom = margins
        if (image.size[0] + left + right) * (image.size[1] + top + bottom) > MAX_PIXELS:
            raise UnreadableError(f"an image that needs at most {MAX_PIXELS:,} pixels with its margins")
        around = ((top, bottom), (left, right))
        pixels = np.asarray(image)
        if pixels.ndim == 3:
            around = (*around, (0, 0))  # type: ignore[assignment]
        if self._operation.fill == "zeros":
            return self._pillow.fromarray(np.pad(pixels, around))
        return self._pillow.fromarray(np.pad(pixels, around, _NUMPY_PAD[self._operation.fill]))  # type: ignore[call-overload]


def _bytes_of(value: object) -> bytes:
    """Return the bytes of an image file."""
    if isinstance(value, str):
        text = stripped(value)
        if text.startswith("data:image/"):
            text = text.partition(",")[2]
        if len(text) > MAX_BYTES // 3 * 4:
            raise UnreadableError(f"an image file of at most {MAX_BYTES:,} bytes")
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error:
            raise UnreadableError(_EXPECTED) from None
    if not isinstance(value, bytes | bytearray | memoryview):
        raise UnreadableError(_EXPECTED)
    if len(value) > MAX_BYTES:
        raise UnreadableError(f"an image file of at most {MAX_BYTES:,} bytes")
    return bytes(value)


def _window(of: tuple[int, int], to: tuple[int, int], method: str) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what is taken of an image, which may reach beyond it.

    Examples
    --------
    >>> _window((100, 50), (10, 10), "crop"), _window((100, 50), (10, 10), "pad")
    ((25, 0, 50, 50), (0, -25, 100, 100))
    """
    if method == "squish":
        return 0, 0, *of
    ratios = of[0] / to[0], of[1] / to[1]
    ratio = max(ratios) if method == "pad" else min(ratios)
    wide, high = int(ratio * to[0]), int(ratio * to[1])
    return int(0.5 * (of[0] - wide)), int(0.5 * (of[1] - high)), wide, high
