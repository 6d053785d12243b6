import re
import tomllib

import pytest
from sklearn.datasets import load_iris

from shiplap.core.brief import Brief, Budget, Capacity, ColumnBrief, Value, read_brief
from shiplap.core.errors import BriefError
from shiplap.engineer.flow import init


@pytest.fixture
def written(tmp_path):
    load_iris(as_frame=True).frame.to_csv(tmp_path / "iris.csv", index=False)
    return init(str(tmp_path / "iris.csv"), target="target", folder=tmp_path)


def test_what_is_written_is_a_brief(written):
    brief = read_brief(written)
    assert (brief.table, brief.target, brief.budget) == ("iris.csv", "target", Budget())


def test_every_word_of_a_brief_is_shown(written):
    """With all its examples taken in, it holds each field of the brief, and no other."""
    text = written.read_text(encoding="utf-8").split("# What the table holds")[0]
    shown = tomllib.loads(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE))
    structs = {"": Brief, "value": Value, "capacity": Capacity, "budget": Budget, "columns": ColumnBrief}
    (column,) = shown["columns"].values()
    for name, struct in structs.items():
        words = {"": shown, "columns": column}.get(name, shown.get(name))
        assert set(words) == set(struct.__struct_fields__), name
    several = {"matrix", "over", "under", "cost"}
    shown["value"] = {name: worth for name, worth in shown["value"].items() if name not in several}
    assert Brief.make(**{**shown, "capacity": {"share": 0.05}}).value.tp == 80


def test_a_brief_that_is_there_is_kept(written):
    with pytest.raises(BriefError, match="is there already"):
        init(str(written.parent / "iris.csv"), folder=written.parent)
    assert init(str(written.parent / "iris.csv"), folder=written.parent, force=True) == written
