"""Computes the contrast of every pair of colours the page uses, from its own stylesheet (WCAG 2.2)."""

from __future__ import annotations

import re

import pytest

from central.web.page import STATIC_DIR

TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9A-F]{6}), (#[0-9A-F]{6})\)", (STATIC_DIR / "css/tokens.css").read_text("utf-8")
    )
}
THEMES = {"light": 0, "dark": 1}
TEXT, SHAPE = 4.5, 3.0
PAIRS = [
    ("text", "card", TEXT),
    ("text", "page", TEXT),
    ("muted", "card", TEXT),
    ("muted", "page", TEXT),
    ("p1-on", "p1-fill", TEXT),
    ("p2-on", "p2-fill", TEXT),
    ("p3-on", "p3-fill", TEXT),
    ("card", "p4-text", TEXT),
    ("p1-text", "card", TEXT),
    ("p2-text", "card", TEXT),
    ("p3-text", "card", TEXT),
    ("p4-text", "card", TEXT),
    ("text", "test-stripe", TEXT),
    ("on-strong", "strong", TEXT),
    ("line", "card", SHAPE),
    ("line", "page", SHAPE),
    ("focus", "page", SHAPE),
    ("focus", "card", SHAPE),
    ("p1-fill", "page", SHAPE),
    ("p3-fill", "page", SHAPE),
    ("p2-edge", "page", SHAPE),
    ("p2-edge", "card", SHAPE),
]


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast_is_enough(theme: str, front: str, back: str, least: float) -> None:
    index = THEMES[theme]

    assert contrast(TOKENS[front][index], TOKENS[back][index]) >= least


@pytest.mark.parametrize(
    ("front", "back", "theme", "expected"),
    [
        ("text", "card", "dark", 13.2),
        ("text", "card", "light", 17.8),
        ("p1-on", "p1-fill", "dark", 4.9),
        ("p1-on", "p1-fill", "light", 6.7),
        ("p2-on", "p2-fill", "dark", 10.8),
        ("p3-on", "p3-fill", "dark", 9.8),
        ("p4-text", "card", "light", 8.3),
    ],
)
def test_contrast_is_what_the_design_says(front: str, back: str, theme: str, expected: float) -> None:
    index = THEMES[theme]

    assert expected == pytest.approx(contrast(TOKENS[front][index], TOKENS[back][index]), abs=0.1)
