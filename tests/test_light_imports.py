"""What must stay light: importing Shiplap, asking for help, scoring."""

import importlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import shiplap

HEAVY = {
    "adbc_driver_postgresql", "bokeh", "duckdb", "jinja2", "lightgbm", "matplotlib", "numpy", "onnx", "onnxruntime",
    "pandas", "polars", "pyarrow", "rich", "ruptures", "scipy", "seaborn", "sklearn", "skops", "sqlglot", "starlette",
    "statsmodels",
}  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Names of top-level modules that a fresh interpreter holds after `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import shiplap",
        "import shiplap.core.report, shiplap.core.ship, shiplap.core.table, shiplap.core.model",
        "import shiplap.core.store",
        "import shiplap.cli.main",
        "from click.testing import CliRunner\nfrom shiplap.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0",
    ],
)
def test_loads_nothing_heavy(code: str) -> None:
    assert not loaded_after(code) & HEAVY


STATISTICS = {"bokeh", "lightgbm", "matplotlib", "ruptures", "scipy", "sklearn", "statsmodels"}
ASKED = "import shiplap\nrows = {'a': [1, 2, 3] * 100, 'b': list('xyz') * 100}\n"


@pytest.mark.parametrize("verb", ["explore", "assess"])
def test_a_wrong_question_is_refused_before_statistics_are_loaded(verb: str) -> None:
    code = (
        f"{ASKED}try:\n    shiplap.{verb}(rows, target='absent')\nexcept shiplap.ShiplapError as error:\n"
        "    assert 'absent' in str(error)\nelse:\n    raise SystemExit('not refused')"
    )
    assert not loaded_after(code) & STATISTICS


def test_a_table_without_time_needs_no_library_of_series() -> None:
    loaded = loaded_after(f"{ASKED}shiplap.explore(rows)")
    assert "sklearn" in loaded
    assert not loaded & {"bokeh", "matplotlib", "ruptures", "statsmodels"}


def test_every_module_imports_cleanly() -> None:
    """An adapter whose library lives in an environment of its own is imported by its tests there."""
    frameworks = ("catboost", "fastai", "jax", "tensorflow", "torch", "xgboost")
    homes = {name: f"shiplap.adapters.frameworks.{name}" for name in frameworks}
    homes["pyspark"] = "shiplap.adapters.frames.spark"
    apart = tuple(home for name, home in homes.items() if find_spec(name) is None)
    root = Path(shiplap.__file__).parent
    files = [file.relative_to(root.parent).with_suffix("") for file in sorted(root.rglob("*.py"))]
    names = [".".join(file.parts).removesuffix(".__init__") for file in files]
    assert len(names) > 200
    for name in names:
        if not name.startswith(apart):
            importlib.import_module(name)


def test_every_public_name_resolves() -> None:
    for name in shiplap.__all__:
        assert getattr(shiplap, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = shiplap.nonsense
