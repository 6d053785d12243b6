from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shiplap.core.errors import InputError, MissingExtraError
from shiplap.core.registry import Registry


@pytest.fixture
def registry() -> Registry[object]:
    made: Registry[object] = Registry("runtime", group="test.runtimes")
    made.add("plain", "an entry")
    made.add_lazy("late", "colorsys:rgb_to_hsv", extra="lab")
    made.add_lazy("absent", "no_such_library:thing", extra="xgboost")
    made.add_lazy("ours", "shiplap.no_such_module:thing", extra="lab")
    made.add_lazy("free", "no_such_library:thing", extra="")
    return made


def test_entries_are_found_by_name(registry: Registry[object]) -> None:
    assert registry.get("plain") == "an entry"
    assert registry.names() == ["absent", "free", "late", "ours", "plain"]


def test_a_lazy_entry_is_imported_when_asked_for(registry: Registry[object]) -> None:
    sys.modules.pop("colorsys", None)
    registry.names()
    assert "colorsys" not in sys.modules
    entry = registry.get("late")
    assert "colorsys" in sys.modules
    assert registry.get("late") is entry


def test_an_unknown_name_is_answered_with_the_nearest(registry: Registry[object]) -> None:
    with pytest.raises(InputError, match=r"no runtime called 'plan' .did you mean 'plain'"):
        registry.get("plan")


def test_a_missing_library_is_answered_with_the_line_that_installs_it(registry: Registry[object]) -> None:
    with pytest.raises(MissingExtraError, match=r"the runtime 'absent' needs .* .pip install \"shiplap\[xgboost\]\""):
        registry.get("absent")


@pytest.mark.parametrize("name", ["ours", "free"])
def test_a_fault_of_our_own_is_not_blamed_on_an_extra(registry: Registry[object], name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        registry.get(name)


def test_other_packages_add_entries(
    registry: Registry[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugin_for_a_test.py").write_text("thing = 'from elsewhere'\n")
    info = tmp_path / "plugin_for_a_test-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin-for-a-test\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[test.runtimes]\nelsewhere = plugin_for_a_test:thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "elsewhere" in registry.names()
    assert "plugin_for_a_test" not in sys.modules
    assert registry.get("elsewhere") == "from elsewhere"
