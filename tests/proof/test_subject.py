import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

from shiplap.adapters.frameworks import Ask
from shiplap.core.errors import RefusedError, TableError
from shiplap.engineer.deploy import pack
from shiplap.proof import SAMPLE_ROWS, lower, sample_frame


def test_the_signature_speaks_of_what_the_ship_reads(subject):
    kinds = {field.name: field.kind for field in subject.signature.inputs}
    assert kinds == {"price": "number", "count": "number", "color": "category", "at": "date"}
    assert subject.signature.classes == ("no", "yes")
    assert subject.policy.positive == 1


def test_an_even_probability_is_the_first_class_as_predict_has_it(subject):
    assert subject.policy.threshold == np.nextafter(0.5, 1.0)


def test_long_data_is_thinned_evenly():
    frame = pd.DataFrame({"a": np.arange(3.0 * SAMPLE_ROWS)})
    sample = sample_frame(frame)
    assert len(sample) == SAMPLE_ROWS
    assert sample["a"].iloc[-1] == 3 * SAMPLE_ROWS - 3


@pytest.mark.parametrize("X", [None, pd.DataFrame({"a": []})])
def test_no_rows_are_refused(X):
    model = LogisticRegression().fit(pd.DataFrame({"a": [0.0, 1.0]}), [0, 1])
    with pytest.raises(TableError, match="rows"):
        lower(model, X)


def test_no_value_of_a_private_column_stands_in_the_ship(tmp_path):
    rows = pd.DataFrame({"name": [f"Ms. Secret {index % 7}" for index in range(70)], "age": np.arange(70.0) + 20.25})
    numbers = DecisionTreeClassifier(random_state=0).fit(rows[["age"]], rows["age"] > 50)
    ship = pack(numbers, rows[["age"]], path=tmp_path / "age.ship", private=["age"])
    assert ship.signature.inputs[0].example is None
    assert all(b"Secret" not in content for content in (*ship.evidence.values(), ship.path.read_bytes()))
    coded = make_pipeline(OneHotEncoder(), DecisionTreeClassifier()).fit(rows[["name"]], rows["age"] > 50)
    with pytest.raises(RefusedError, match="'name' is private, and the model knows its values by name"):
        pack(coded, rows[["name"]], path=tmp_path / "name.ship", private="name")
    assert not (tmp_path / "name.ship").exists()


def test_a_private_column_that_is_not_there_is_said():
    rows = pd.DataFrame({"age": [1.0, 2.0, 3.0]})
    model = LogisticRegression().fit(rows, [0, 0, 1])
    with pytest.raises(TableError, match="no column 'aeg' to keep private") as caught:
        lower(model, rows, ask=Ask(private=("aeg",)))
    assert "'age'" in caught.value.hint
