import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from shiplap.core.errors import BriefError, ShipError
from shiplap.engineer.bench import bench
from shiplap.engineer.deploy import pack
from shiplap.scoring import read_ship


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(6)
    return pd.DataFrame({"a": generator.normal(size=200), "b": generator.normal(size=200)})


@pytest.fixture(scope="module")
def model(rows):
    return LogisticRegression().fit(rows, rows["a"] > 0)


@pytest.fixture
def ship(rows, model, tmp_path):
    return pack(model, rows, path=tmp_path / "small.ship")


def test_figures_are_measured_and_attached(ship, rows, model):
    report = bench(ship, rows, original=model, budget={"p99_ms": 1000, "size_mb": 1})
    metrics = report.metrics
    assert 0 < metrics["single_p50_us"] <= metrics["single_p99_us"]
    assert metrics["speedup"] == pytest.approx(metrics["original_p50_us"] / metrics["single_p50_us"])
    assert metrics["single_p50_us"] < metrics["http_p50_us"] <= metrics["http_p99_us"]
    assert metrics["http_adds_us"] == pytest.approx(metrics["http_p50_us"] - metrics["single_p50_us"])
    assert metrics["cold_start_ms"] > 10
    assert 0 <= metrics["memory_mb"] < metrics["peak_mb"]
    assert metrics["rows_per_s_1024"] > 100
    assert report.holds
    assert [finding.check for finding in report.findings] == ["budget.p99_ms", "budget.size_mb"]
    after = read_ship(ship.path)
    assert after.id == ship.id
    name = next(name for name in after.evidence if name.startswith("bench-"))
    assert msgspec.json.decode(after.evidence[name])["metrics"] == metrics


def test_a_missed_budget_does_not_hold(ship):
    report = bench(ship.path, budget={"p99_ms": 1e-6})
    assert (report.holds, report.verdict) == (False, "missed")
    assert report.findings[0].verdict == "fail"
    assert report.findings[0].todo


def test_bad_input(tmp_path, ship):
    with pytest.raises(ShipError):
        bench(tmp_path / "none.ship")
    with pytest.raises(BriefError, match="p99_sec"):
        bench(ship, budget={"p99_sec": 1})
