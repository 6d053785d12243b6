"""Images: what is decoded, how it is fitted, and what is refused."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from shiplap.core.encoding import Encoding, Image
from shiplap.core.errors import MissingExtraError, RowError
from shiplap.scoring import Encoder
from shiplap.scoring.readers import image as image_module
from shiplap.scoring.readers import reader_of
from shiplap.scoring.values import UnreadableError

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def png(pixels: Any = PIXELS, mode: str | None = None, form: str = "PNG", **options: Any) -> bytes:
    image = Pillow.fromarray(np.asarray(pixels, np.uint8))
    buffer = io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, form, **options)
    return buffer.getvalue()


def numbers(value: object, **how: Any) -> np.ndarray:
    operation = Image(column="photo", **{"size": (5, 7), **how})
    return reader_of(operation).many([value])[0].reshape(len(operation.mode), *operation.size)


def test_an_image_of_the_right_size_gives_its_pixels_channel_by_channel() -> None:
    assert np.array_equal(numbers(png()), PIXELS.transpose(2, 0, 1))


def test_bytes_base64_text_a_data_address_and_an_array_mean_the_same() -> None:
    text = base64.b64encode(png()).decode()
    for value in (memoryview(png()), bytearray(png()), text, f" {text}\n", f"data:image/png;base64,{text}", PIXELS):
        assert np.array_equal(numbers(value), numbers(png()))


def test_one_row_many_rows_and_a_frame_give_the_same_numbers() -> None:
    encoder = Encoder(Encoding(operations=(Image(column="photo", size=(3, 3)),)))
    out = np.empty(27)
    encoder.row({"photo": png()}, out)
    files = [png(), png(255 - PIXELS)]
    many = encoder.matrix([{"photo": file} for file in files])
    assert np.array_equal(out, many[0])
    assert np.array_equal(many, encoder.matrix(pd.DataFrame({"photo": files})))


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA"])
def test_other_modes_of_color_are_turned_to_red_green_and_blue(mode: str) -> None:
    file = png(mode=mode)
    assert np.array_equal(numbers(file), np.asarray(Pillow.open(io.BytesIO(file)).convert("RGB")).transpose(2, 0, 1))


def test_a_palette_with_transparent_colors_is_read_without_a_warning() -> None:
    file = png(mode="P", transparency=bytes(range(256)))
    assert np.array_equal(numbers(file), numbers(png(mode="P")))


def test_gray_has_one_channel() -> None:
    assert numbers(png(), mode="L").shape == (1, 5, 7)


def test_cropping_keeps_the_middle_of_the_longer_side() -> None:
    assert np.array_equal(numbers(png(), size=(5, 5), resize="crop"), PIXELS[:, 1:6].transpose(2, 0, 1))


def test_padding_adds_margins_to_the_shorter_side() -> None:
    padded = numbers(png(), size=(7, 7), resize="pad")
    assert np.array_equal(padded[:, 1:6], PIXELS.transpose(2, 0, 1))
    assert not padded[:, [0, 6]].any()
    mirrored = numbers(png(), size=(7, 7), resize="pad", fill="reflection")
    assert np.array_equal(mirrored[:, 0], PIXELS[1].T)
    assert np.array_equal(numbers(png(), size=(7, 7), resize="pad", fill="border")[:, 0], PIXELS[0].T)


def _header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("size", [(8_000, 7_000), (10_000, 10_000), (2**31 - 1, 2**31 - 1)])
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableError, match="at most 50,000,000 pixels"):
        numbers(_header(*size))


def test_an_image_whose_margins_would_be_too_large_is_refused() -> None:
    with pytest.raises(UnreadableError, match="with its margins"):
        numbers(png(np.zeros((1, 20_000))), resize="pad")


def test_a_file_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_module, "MAX_BYTES", 30)
    for value in (png(), base64.b64encode(png()).decode()):
        with pytest.raises(UnreadableError, match="at most 30 bytes"):
            numbers(value)


@pytest.mark.parametrize(
    "value",
    [
        b"", b"GIF89a", png()[:60], png(form="BMP"), png(form="TIFF"), png()[:-30] + b"\0" * 30, "no base64!", "aGk=",
        "", None, float("nan"), 3, PIXELS.astype(float), PIXELS[0, 0], "/etc/hostname",
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(value: object) -> None:
    with pytest.raises(UnreadableError, match="an image"):
        numbers(value)


def test_a_refusal_names_row_and_column() -> None:
    encoder = Encoder(Encoding(operations=(Image(column="photo", size=(3, 3)),)))
    with pytest.raises(RowError, match=r"row 1, column 'photo': expected an image.* got the text 'nothing'"):
        encoder.matrix([{"photo": png()}, {"photo": "nothing"}])


def test_the_extra_is_named_where_pillow_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"shiplap\[image\]"):
        reader_of(Image(column="photo", size=(3, 3)))
