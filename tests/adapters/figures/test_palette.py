import pytest

from shiplap.adapters.figures import palette


def luminance(color: str) -> float:
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("color", palette.SERIES)
def test_series_stand_out_in_the_light_and_in_the_dark(color: str) -> None:
    dark = palette.pairs()
    assert contrast(color, palette.PAPER) >= 3
    assert contrast(dark[color], dark[palette.PAPER]) >= 3


@pytest.mark.parametrize("color", [palette.INK, palette.AXIS, palette.MARK])
def test_text_is_readable_in_the_light_and_in_the_dark(color: str) -> None:
    dark = palette.pairs()
    assert contrast(color, palette.PAPER) >= 4.5
    assert contrast(dark[color], dark[palette.PAPER]) >= 4.5


def test_a_page_can_swap_colors_both_ways() -> None:
    pairs = palette.pairs()
    assert len(set(pairs.values())) == len(pairs)
    assert not set(pairs) & set(pairs.values())
