"""Made-up images: files of every kind that clients send, and shapes that break what fits them to a size."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np

__all__ = ["image_files", "image_texts"]

_SHAPES = {"one pixel": (1, 1), "wide": (3, 150), "tall": (150, 3), "usual": (40, 28)}
_MODES = ("L", "LA", "RGBA", "P", "1")


def image_files(generator: np.random.Generator) -> dict[str, bytes]:
    """Return files of images by what is special about them.

    Parameters
    ----------
    generator : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    dict of str to bytes
        PNG and JPEG files: noise, flat color, one pixel, very wide and tall ones, gray, transparent, with a palette.

    Examples
    --------
    >>> files = image_files(np.random.default_rng(0))
    >>> files["wide"][:4], files["jpeg"][:2]
    (b'\\x89PNG', b'\\xff\\xd8')
    """
    from PIL import Image as pillow  # noqa: PLC0415, N813  (an extra, and only ships with images need it)

    def noise(height: int, width: int, channels: int = 3) -> Any:
        return pillow.fromarray(generator.integers(0, 256, (height, width, channels), dtype=np.uint8))

    usual = noise(*_SHAPES["usual"])
    files = {name: _file(noise(*shape)) for name, shape in _SHAPES.items()}
    files["flat"] = _file(pillow.new("RGB", (30, 20), (200, 30, 90)))
    files["black"], files["white"] = (_file(pillow.new("RGB", (20, 20), color)) for color in ((0,) * 3, (255,) * 3))
    files |= {f"mode {mode}": _file(usual.convert(mode)) for mode in _MODES}
    files["palette with transparency"] = _file(usual.convert("P"), transparency=bytes(range(256)))
    deep = generator.integers(0, 65_536, (12, 9), dtype=np.uint16)
    files["16 bits"] = _file(pillow.fromarray(deep))
    files["jpeg"], files["gray jpeg"] = (_file(usual.convert(mode), "JPEG", quality=80) for mode in ("RGB", "L"))
    files["four colors jpeg"] = _file(usual.convert("CMYK"), "JPEG")
    return files


def image_texts(files: list[Any]) -> list[Any]:
    """Return files as JSON carries them: base64 text.

    Examples
    --------
    >>> image_texts([b"hi", None])
    ['aGk=', None]
    """
    return [base64.b64encode(file).decode("ascii") if isinstance(file, bytes) else file for file in files]


def _file(image: Any, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
