"""Packing in a notebook: one line, a rich answer, errors in plain words. Run by IPython itself."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

PREPARE = """
import pandas as pd
import shiplap
from sklearn.tree import DecisionTreeClassifier
X = pd.DataFrame({"age": [20, 30, 40, 50] * 10, "income": [1.0, 2.0, 3.0, 4.0] * 10})
model = DecisionTreeClassifier(random_state=0).fit(X, X["age"] > 35)
"""


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    shell = InteractiveShell()
    shell.run_cell(PREPARE).raise_error()
    return shell


def test_one_line_packs_and_shows_what_was_proven(notebook, tmp_path):
    with capture_output() as shown:
        result = notebook.run_cell("shiplap.pack(model, X)")
    assert result.success, shown.stdout
    html = result.result._repr_html_()
    assert "Proven" in html
    assert "age" in html
    assert "<script" not in html
    assert (tmp_path / "decisiontreeclassifier.ship").exists()


def test_an_error_is_as_plain_as_on_the_command_line(notebook):
    with capture_output() as shown:
        result = notebook.run_cell("shiplap.pack(model, X[['age']])")
    assert not result.success
    said = shown.stdout + shown.stderr
    assert "TableError: the data has no column 'income', which the model was fitted on" in said
    assert "Traceback" not in said
