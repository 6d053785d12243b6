"""Image files that a column names: what is missing, broken, the same, and what must not be opened."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_sample_image

from shiplap.adapters.frames import read
from shiplap.core.brief import Brief, ColumnBrief
from shiplap.methods.question import pose
from shiplap.scientist.explore import images
from shiplap.scientist.explore.images import look_at_images
from shiplap.scientist.explore.view import view_of


def looked(source):
    return look_at_images(view_of(read(source), None, private=(), seed=0))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as PNG files, a photograph as JPEG; one cut, one missing, two the same, some that lie elsewhere."""
    base = tmp_path_factory.mktemp("images")
    folder = base / "shop"
    (folder / "digits").mkdir(parents=True)
    for place, digit in enumerate(load_digits().images[:30]):
        Image.fromarray((digit * 15).astype(np.uint8)).save(folder / f"digits/{place}.png")
    names = [f"digits/{place}.png" for place in range(30)]
    photo = Image.fromarray(load_sample_image("flower.jpg"))
    photo.save(folder / "photo.jpg")
    whole = (folder / "photo.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no image")
    (folder / "copy.jpg").write_bytes(whole)
    photo.save(base / "secret.png")
    (folder / "link.png").symlink_to(base / "secret.png")
    names += ["photo.jpg", "cut.jpg", "text.png", "copy.jpg", "gone.png"]
    names += ["../secret.png", str(base / "secret.png"), "link.png", "https://example.org/a.png", f"{'x' * 300}.png"]
    rows = pd.DataFrame({"photo": names, "kind": ["digit"] * 30 + ["other"] * 10, "price": [3, 5] * 20})
    rows.to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


def test_what_is_wrong_with_images_is_said(table):
    part = looked(table)
    found = {f.check: f for f in part.findings}
    counts = {check: f.value for check, f in found.items()}
    assert counts == {
        "images.missing": 2, "images.broken": 2, "images.outside": 4, "images.copies": 1, "images.modes": None,
    }  # fmt: skip
    assert "'gone.png'" in found["images.missing"].means
    assert found["images.broken"].means.endswith("'cut.jpg', 'text.png'")
    assert "'photo.jpg' and 'copy.jpg'" in found["images.copies"].means
    row = ("photo", 40, 40, 32, "PNG 30, JPEG 2", "L 30, RGB 2", "8 to 640, half at most 8", "8 to 427, half at most 8")
    assert part.tables[0].rows == (row,)
    assert sorted(set(part.figures[0].data["width"])) == [8, 640]


def test_nothing_outside_the_folder_is_opened(table, monkeypatch):
    opened = []
    real = images._opened
    monkeypatch.setattr(
        images, "_opened", lambda name, path, whole: opened.append(path) or real(name, path, whole=whole)
    )
    looked(table)
    assert len(opened) == 34
    assert all(path.is_relative_to(table.parent.resolve()) for path in opened)


def test_names_that_are_no_input_of_a_model_are_looked_at(table):
    brief = Brief(target="kind", columns={"photo": ColumnBrief(kind="id")})
    rows = read(table, columns=brief.columns)
    problem = pose(rows, brief)
    assert "photo" not in problem.schema
    assert look_at_images(view_of(rows, problem, private=(), seed=0)).tables[0].rows[0][3] == 32
    assert look_at_images(view_of(rows, problem, private=("photo",), seed=0)).tables == ()


@pytest.mark.parametrize(
    ("limit", "value", "check", "count"),
    [("MAX_PIXELS", 100, "too_large", 3), ("MAX_BYTES", 1_000, "too_large", 3), ("_ALL_PIXELS", 0, "broken", 1)],
)
def test_limits_hold(table, monkeypatch, limit, value, check, count):
    """What is too large is not decoded; once enough is, heads alone are read, and half a photograph passes."""
    monkeypatch.setattr(images, limit, value)
    assert {f.check: f.value for f in looked(table).findings}[f"images.{check}"] == count


def test_some_of_many_files_are_looked_at(table, monkeypatch):
    monkeypatch.setattr(images, "_MOST_FILES", 10)
    part = looked(table)
    assert part.tables[0].rows[0][1:3] == (40, 10)
    assert all("of 10 looked at, of 40 named" in f.means for f in part.findings if f.check != "images.modes")


def test_rows_in_memory_have_no_folder(table):
    part = looked(pd.read_csv(table))
    assert [f.check for f in part.findings] == ["images.unseen"]
    assert part.figures == ()
    assert looked(pd.DataFrame({"note": ["see a.png"] + ["nothing there", "or here"] * 9})).findings == ()
