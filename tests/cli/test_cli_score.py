"""`shiplap score`: what is kept, and what becomes of a row that cannot be read."""

from pathlib import Path

import pandas as pd
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import shiplap
from shiplap.cli.main import cli
from shiplap.core.policy import Policy


def test_columns_are_kept_and_a_row_is_refused_as_asked(tmp_path: Path) -> None:
    X = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0]})
    model = LogisticRegression().fit(X, [0, 0, 1, 1])
    policy = Policy(task="binary", classes=(0, 1), positive=1, fallback="ask")
    shiplap.pack(model, X, path=tmp_path / "a.ship", policy=policy)
    (tmp_path / "rows.csv").write_text("id,age\n7,60\n8,old\n")
    command = ["score", str(tmp_path / "a.ship"), str(tmp_path / "rows.csv"), "-o", str(tmp_path / "out.csv"), "-q"]
    stopped = CliRunner().invoke(cli, command)
    assert stopped.exception is not None
    assert not (tmp_path / "out.csv").exists()
    done = CliRunner().invoke(cli, [*command, "--keep", "id", "--on-error", "fallback"])
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert found["id"].tolist() == ["7", "8"]
    assert found["decision"].tolist() == ["true", "ask"]
