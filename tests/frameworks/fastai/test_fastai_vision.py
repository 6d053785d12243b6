"""Vision learners of fastai become ship files that read images themselves."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from fastai.vision.all import (
    AdaptiveConcatPool2d,
    CategoryBlock,
    ColReader,
    CropPad,
    CrossEntropyLossFlat,
    DataBlock,
    ImageBlock,
    ImageDataLoaders,
    Learner,
    MSELossFlat,
    Normalize,
    PILImageBW,
    RandomSplitter,
    RegressionBlock,
    Resize,
    Transform,
    aug_transforms,
    imagenet_stats,
    resnet18,
    vision_learner,
)
from PIL import Image as Pillow
from torch import nn

import shiplap
from shiplap.core.errors import RefusedError, RowError, TableError
from shiplap.scoring import Scorer

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("photos")
    paths = [folder / f"{'cat' if index % 2 else 'dog'}_{index}.{'jpg' if index % 3 else 'png'}" for index in range(24)]
    for path in paths:
        height, width = random.integers(12, 40, 2)
        Pillow.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
    return paths


def net(channels: int = 3, outputs: int = 2) -> nn.Module:
    torch.manual_seed(0)
    body = [nn.Conv2d(channels, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(), AdaptiveConcatPool2d(1), nn.Flatten()]
    return nn.Sequential(*body, nn.Linear(8, outputs))


def named(path: Path) -> str:
    return path.name.partition("_")[0]


def loaders(photos: list[Path], item_tfms: Any, batch_tfms: Any = None, block: Any = ImageBlock) -> Any:
    made = DataBlock(
        blocks=(block, CategoryBlock), splitter=RandomSplitter(seed=0), get_y=named,
        item_tfms=item_tfms, batch_tfms=batch_tfms,
    )  # fmt: skip
    return made.dataloaders(photos, bs=8, val_bs=256, num_workers=0)


def trained(dls: Any, model: nn.Module, loss: Any = None) -> Learner:
    learner = Learner(dls, model, loss_func=loss or CrossEntropyLossFlat())
    with learner.no_bar(), learner.no_logging():
        learner.fit(1)
    return learner


NORMAL = Normalize.from_stats(*imagenet_stats, cuda=False)
CASES: dict[str, Any] = {
    "cropped to the middle, augmented, normalized": lambda photos: trained(
        loaders(photos, Resize(16), [*aug_transforms(), NORMAL]), net()
    ),
    "squished": lambda photos: trained(loaders(photos, Resize((12, 20), method="squish")), net()),
    "padded by reflection": lambda photos: trained(loaders(photos, Resize(16, method="pad")), net()),
    "padded with zeros, nearest pixels": lambda photos: trained(
        loaders(photos, Resize(16, method="pad", pad_mode="zeros", resamples=(0, 0))), net()
    ),
    "gray": lambda photos: trained(loaders(photos, Resize(16), block=ImageBlock(PILImageBW)), net(1)),
    "resnet18 by vision_learner": lambda photos: vision_learner(
        loaders(photos, Resize(32), [NORMAL]), resnet18, pretrained=False, normalize=False, n_out=2
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_vision_learner_becomes_a_ship_that_answers_as_get_preds(
    name: str, photos: list[Path], tmp_path: Path, covered: Any
) -> None:
    learner = CASES[name](photos)
    ship = shiplap.pack(learner, photos, path=tmp_path / "photos.ship")
    certificate = ship.certificate
    assert certificate.flips == 0
    assert certificate.largest_difference < 1e-5
    rows = {kind.name: kind.rows for kind in certificate.kinds}
    assert rows["odd images"] == rows["images as text"] > 15
    assert ship.manifest.signature.classes == ("cat", "dog")
    assert shiplap.verify(tmp_path / "photos.ship").verdict != "broken"
    covered("fastai", f"vision: {name}", "proven", difference=certificate.largest_difference)


def test_a_path_bytes_a_picture_and_base64_text_get_one_answer(photos: list[Path], tmp_path: Path) -> None:
    learner = CASES["squished"](photos)
    files = [path.read_bytes() for path in photos]
    ship = shiplap.pack(learner, pd.DataFrame({"photo": files}), path=tmp_path / "photos.ship")
    scorer = Scorer(ship)
    expected = scorer.outputs({"photo": files[:3]})
    assert np.array_equal(scorer.outputs({"photo": [base64.b64encode(file).decode() for file in files[:3]]}), expected)
    pixels = [np.asarray(Pillow.open(path)) for path in photos[:3]]
    assert np.array_equal(scorer.outputs([{"photo": array} for array in pixels]), expected)
    with pytest.raises(RowError, match="row 1, column 'photo': expected an image"):
        scorer.outputs({"photo": [files[0], None]})


def test_a_learner_of_a_table_with_file_names_reads_the_images(photos: list[Path], tmp_path: Path) -> None:
    table = pd.DataFrame({"file": [str(path) for path in photos], "size": [float(len(path.name)) for path in photos]})
    block = DataBlock(
        blocks=(ImageBlock, RegressionBlock), get_x=ColReader("file"), get_y=ColReader("size"), item_tfms=Resize(16),
        splitter=RandomSplitter(seed=0),
    )  # fmt: skip
    learner = trained(block.dataloaders(table, bs=8, val_bs=256, num_workers=0), net(outputs=1), MSELossFlat())
    ship = shiplap.pack(learner, photos, path=tmp_path / "sizes.ship")
    assert (ship.manifest.signature.task, ship.certificate.flips) == ("regression", 0)


class Inverted(Transform):
    order = 50

    def encodes(self, x: torch.Tensor) -> torch.Tensor:
        return 1 - x


REFUSED = {
    "items of no fixed size": (CropPad(16), None, "pass through CropPad"),
    "a transform of a batch of one's own": (Resize(16), [Inverted()], "Inverted: this transform"),
    "images resized in the batch": (Resize(16), aug_transforms(size=12), "acts outside training"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_transforms_are_refused_with_the_reason(
    name: str, photos: list[Path], tmp_path: Path, covered: Any
) -> None:
    item, batch, reason = REFUSED[name]
    learner = Learner(loaders(photos, item, batch), net(), loss_func=CrossEntropyLossFlat())
    with pytest.raises(RefusedError, match=reason) as caught:
        shiplap.pack(learner, photos, path=tmp_path / "photos.ship")
    covered("fastai", f"vision: {name}", "refused", reason=caught.value.message)


def test_what_is_no_image_is_refused(photos: list[Path], tmp_path: Path) -> None:
    learner = CASES["squished"](photos)
    with pytest.raises(TableError, match="a float is no image"):
        shiplap.pack(learner, [1.5], path=tmp_path / "photos.ship")
    with pytest.raises(TableError, match="2 columns"):
        shiplap.pack(learner, pd.DataFrame({"a": [b""], "b": [b""]}), path=tmp_path / "photos.ship")


def test_the_loaders_made_from_a_folder_work_too(photos: list[Path], tmp_path: Path) -> None:
    dls = ImageDataLoaders.from_path_func(
        photos[0].parent, photos, named, item_tfms=Resize(16), bs=8, val_bs=256, num_workers=0
    )
    assert shiplap.pack(trained(dls, net()), photos, path=tmp_path / "photos.ship").certificate.flips == 0
