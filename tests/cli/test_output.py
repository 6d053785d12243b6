import io
import sys
import time

import pytest

from shiplap.cli.output import progress
from shiplap.core.progress import tell


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_clock_goes_on_during_a_long_step(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress(quiet=False):
        tell("fitting", 0.5)
        time.sleep(1.3)
    told = screen.getvalue()
    assert "0 s  fitting" in told
    assert "1 s  fitting" in told
    assert told.endswith("\r\x1b[2K")
