"""What must stay light: importing Shiplap, asking for help, scoring."""

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest

import shiplap

HEAVY = {
    "bokeh", "duckdb", "jinja2", "lightgbm", "numpy", "onnx", "onnxruntime", "pandas", "polars", "pyarrow",
    "rich", "scipy", "sklearn", "skops", "starlette",
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


def test_every_module_imports_cleanly() -> None:
    names = [module.name for module in pkgutil.walk_packages(shiplap.__path__, "shiplap.")]
    assert len(names) > 60
    for name in names:
        importlib.import_module(name)


def test_every_public_name_resolves() -> None:
    for name in shiplap.__all__:
        assert getattr(shiplap, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = shiplap.nonsense
