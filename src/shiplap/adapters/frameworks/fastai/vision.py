"""Vision learners: images are decoded and fitted in the encoder, scaled in the graph."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from shiplap.adapters.frameworks.fastai.reading import Reading, activated, answers_of, kind_name, transforms
from shiplap.adapters.frameworks.neural import Wire
from shiplap.core.encoding import Image
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.schema import Column

__all__ = ["answers", "read", "sample"]

_NAME = "image"
_NOT_THIS_STEP = (TypeError, AttributeError, KeyError, IndexError, ValueError, OSError, LookupError)


class _Scaled(torch.nn.Module):  # type: ignore[misc]  # untyped here
    """From pixels as the encoder writes them to what the learner answers."""

    def __init__(self, learner: Any) -> None:
        super().__init__()
        self.model = learner.model
        self.activation = activated(learner)
        self.divisors: list[float] = []
        self.normal = False
        for step in _batch_steps(learner):
            if kind_name(step) == "IntToFloatTensor":
                self.divisors.append(float(step.div))
            else:
                self.normal = True
                self.register_buffer("mean", torch.as_tensor(step.mean).float().cpu(), persistent=False)
                self.register_buffer("deviation", torch.as_tensor(step.std).float().cpu(), persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the answers; `pixels` is (n_rows, channels, height, width) from 0 to 255."""
        for divisor in self.divisors:
            pixels = pixels / divisor
        if self.normal:
            pixels = (pixels - self.mean) / self.deviation
        return self.activation(self.model(pixels))


def sample(learner: Any, X: Any) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Return images as the bytes of their files, one a row.

    Raises
    ------
    TableError
        It is no list, array or column of images: paths, bytes, Pillow images, or arrays of bytes.
    """
    del learner
    name = _NAME
    if isinstance(X, pd.DataFrame | dict):
        if len(X.keys()) != 1:
            raise TableError(f"the rows have {len(X.keys())} columns, and the learner reads one of images")
        name = str(next(iter(X.keys())))
        X = next(iter(X.values())) if isinstance(X, dict) else X.iloc[:, 0]
    values = [_bytes_of(value) for value in X]
    frame = pd.DataFrame({name: pd.Series(values, dtype=object)})
    return frame, (Column(name=name, kind="image", dtype="bytes"),)


def read(learner: Any, columns: tuple[Column, ...]) -> Reading:
    """Say how an image becomes what the learner's model takes.

    Raises
    ------
    RefusedError
        A transform that acts outside training is none of those that can be lowered.
    """
    steps = [step for step in transforms(learner.dls.valid.after_item) if kind_name(step) != "ToTensor"]
    if [kind_name(step) for step in steps] != ["Resize"]:
        found = ", ".join(map(kind_name, steps)) or "nothing"
        raise RefusedError(
            f"the learner's items pass through {found}, and images need one fixed size",
            hint="give the data loaders item_tfms=Resize(size) alone",
        )
    [resize] = steps
    mode = _opened(learner)[1]
    width, height = resize.size
    operation = Image(
        column=columns[0].name,
        size=(int(height), int(width)),
        mode=mode,
        resize=resize.method,
        resample=cast("Any", Pillow.Resampling(resize.mode).name.lower()),
        fill=resize.pad_mode,
    )
    wire = Wire("pixels", 0, (len(mode), int(height), int(width)), "float32")
    return Reading(operations=(operation,), wires=(wire,), module=_Scaled(learner))


def answers(learner: Any, frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return what the learner answers on images."""
    images = frame.iloc[:, 0].tolist()
    if not all(isinstance(image, bytes) for image in images):
        raise ValueError("the learner takes no missing image")
    skipped = _opened(learner)[0]
    return answers_of(learner, lambda: learner.dls.test_dl(images, rm_type_tfms=skipped or None, num_workers=0))


def _batch_steps(learner: Any) -> list[Any]:
    """Return the transforms of a batch that act outside training."""
    kept = []
    for step in transforms(learner.dls.valid.after_batch):
        name = kind_name(step)
        if name in {"IntToFloatTensor", "Normalize"}:
            kept.append(step)
        elif step.split_idx != 0 and not _is_augmentation(step):
            raise RefusedError(
                f"{name}: this transform of a batch acts outside training and cannot be lowered",
                hint="leave it out, or resize with item_tfms=Resize(size)",
            )
    return kept


def _is_augmentation(step: Any) -> bool:
    """Tell whether it is an affine augmentation that leaves the size, and so acts in training alone."""
    return any(kind.__name__ == "AffineCoordTfm" for kind in type(step).__mro__) and step.size is None


def _opened(learner: Any) -> tuple[int, Any]:
    """Return how many steps before the image is opened find its file, and the mode it is opened in."""
    steps = list(learner.dls.valid_ds.tfms[0].fs)
    pixel = _png(Pillow.new("RGB", (1, 1)))
    for skipped in range(len(steps)):
        image: Any = pixel
        try:
            for step in steps[skipped:]:
                image = step(image)
        except _NOT_THIS_STEP:
            continue
        if isinstance(image, Pillow.Image) and image.mode in {"RGB", "L"}:
            return skipped, image.mode
    raise RefusedError(
        "the learner's data loaders do not open images in color or gray",
        hint="use ImageBlock or ImageBlock(PILImageBW)",
    )


def _bytes_of(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str | Path):
        return Path(value).read_bytes()
    if isinstance(value, Pillow.Image):
        return _png(value)
    if isinstance(value, np.ndarray | torch.Tensor) and np.asarray(value).dtype == np.uint8:
        return _png(Pillow.fromarray(np.asarray(value)))
    raise TableError(
        f"a {type(value).__name__} is no image",
        hint="pass paths, the bytes of PNG or JPEG files, Pillow images, or arrays of bytes (rows, columns, 3)",
    )


def _png(image: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
