import math

from shiplap.adapters.figures.sparks import bar, spark


def test_long_series_are_averaged_to_the_width() -> None:
    assert len(spark(list(range(1000)), width=40)) == 40
    assert spark([1.0, math.nan, 2.0]) == "▁ █"
    assert spark([3.0, 3.0]) == "▁▁"
    assert spark([math.nan]) == ""


def test_bars_stay_within_their_room() -> None:
    assert bar(7.0, width=3) == "███"
    assert bar(-1.0) == ""
    assert bar(math.nan) == ""
    assert bar(1 / 16, width=2) == "▏"
