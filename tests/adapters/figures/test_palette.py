import itertools
import math

import numpy as np
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


# Linear sRGB -> what an eye sees that lacks one kind of cone: Machado, Oliveira and Fernandes (2009), severity 1.
SEEN_BY = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(color: str, eye: str) -> np.ndarray:
    """CIE L*a*b* (D65) of a color as an eye sees it."""
    channels = np.array([int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = np.asarray(TO_XYZ) @ np.clip(np.asarray(SEEN_BY[eye]) @ linear, 0, 1) / WHITE
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two colors: Sharma, Wu and Dalal (2005), Color Research and Application 30(1)."""
    chroma = (math.hypot(*one[1:]) + math.hypot(*other[1:])) / 2
    g = 0.5 * (1 - math.sqrt(chroma**7 / (chroma**7 + 25**7)))
    (l1, a1, b1), (l2, a2, b2) = ((color[0], (1 + g) * color[1], color[2]) for color in (one, other))
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = ((h2 - h1 + 180) % 360 - 180) if c1 * c2 else 0.0
    between = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, c = (l1 + l2) / 2, (c1 + c2) / 2
    apart = abs(h1 - h2) > 180 and c1 * c2
    h = (h1 + h2 + (360 if apart and h1 + h2 < 360 else -360 if apart else 0)) / (2 if c1 * c2 else 1)
    cosine = lambda factor, shift: math.cos(math.radians(factor * h - shift))  # noqa: E731
    t = 1 - 0.17 * cosine(1, 30) + 0.24 * cosine(2, 0) + 0.32 * cosine(3, -6) - 0.2 * cosine(4, 63)
    s_l = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    bend = 2 * math.sqrt(c**7 / (c**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((h - 275) / 25) ** 2))))
    parts = (l2 - l1) / s_l, (c2 - c1) / s_c, between / s_h
    return math.sqrt(sum(part**2 for part in parts) - bend * parts[1] * parts[2])


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_measure_of_colors_gives_the_published_values(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("eye", SEEN_BY)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_two_series_are_told_apart_by_every_eye(theme: palette.Theme, eye: str) -> None:
    seen = [lab(color, eye) for color in palette.tones(theme).series]
    assert min(ciede2000(one, other) for one, other in itertools.combinations(seen, 2)) >= 12


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_scale_grows_in_lightness_for_every_eye_and_in_gray(theme: palette.Theme) -> None:
    shade = palette.tones(theme)
    middle = len(shade.parting) // 2
    for scale in (shade.heat, shade.parting[middle:], shade.parting[middle::-1]):
        for eye in SEEN_BY:
            steps = np.diff([lab(color, eye)[0] for color in scale])
            assert (steps < -2).all() or (steps > 2).all(), (eye, scale, steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_two_arms_of_a_parting_scale_are_told_apart_by_every_eye(theme: palette.Theme) -> None:
    scale = palette.tones(theme).parting
    for eye in SEEN_BY:
        for low, high in zip(scale[:3], scale[:-4:-1], strict=True):
            assert ciede2000(lab(low, eye), lab(high, eye)) >= 12
