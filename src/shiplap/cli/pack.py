"""`shiplap pack`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from shiplap.cli.options import as_json, quiet
from shiplap.cli.output import finish, progress
from shiplap.engineer.flow import pack_file

__all__ = ["command"]


@click.command("pack")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", required=True, help="Rows the model can answer: any table, or arrays (.npy, .npz).")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Ship file to write; MODEL.ship if left out.")
@click.option("--trust", is_flag=True, help="Read a file that runs code when it is read, in a sandbox.")
@click.option("--method", default="", help="Method of the estimator that answers: decision_function, transform ...")
@click.option("--classes", default="", metavar="A,B,...", help="Labels of a network's outputs, in order.")
@click.option("--private", multiple=True, metavar="COLUMN", help="Let no value of a column stand in the ship.")
@click.option("--framework", default="", help="The model's framework, where the file does not tell.")
@as_json
@quiet
def command(model: Path, data: str, out: Path | None, classes: str, as_json: bool, quiet: bool, **asked: Any) -> None:
    """Turn a trained model into a ship file, with proof.

    MODEL is a file of scikit-learn (.skops), LightGBM (.txt), XGBoost (.json, .ubj), CatBoost (.cbm), Keras (.keras,
    SavedModel), ONNX (.onnx), MXNet (-symbol.json) or an MLflow folder; pickles (.joblib, .pkl, .pt) only with
    --trust. The ship is written only when it flips no answer of the original, on rows of the data and on rows built
    to break it.

    \b
    Example: shiplap pack churn.skops --data churn.csv -o churn.ship
    """
    asked["classes"] = tuple(label.strip() for label in classes.split(",")) if classes else ()
    with progress(quiet=quiet):
        report, path = pack_file(model, data=data, out=out, **asked)
    finish(report, as_json=as_json, then=f"ship written to {path}")
