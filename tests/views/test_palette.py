"""One palette: complete, legible, and safe for every kind of sight."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest

from tcptrace.tables.schema import BASES, SEVERITIES
from tcptrace.tcp.states import State
from tcptrace.views import palette

Colour = npt.NDArray[np.float64]

# Machado, Oliveira and Fernandes 2009, severity 1.0, in linear RGB.
SIGHTS = {
    "trichromat": np.eye(3),
    "protanope": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranope": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanope": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
D65 = np.array([0.9505, 1.0, 1.089])
APART = 15.0  # a difference of 2.3 in CIELAB can just be seen


def linear(colour: str) -> Colour:
    """`#rrggbb` as light, IEC 61966-2-1."""
    coded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(light: Colour) -> Colour:
    """Light in CIELAB."""
    ratio = TO_XYZ @ np.clip(light, 0, 1) / D65
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(left: str, right: str) -> float:
    """WCAG's contrast ratio."""
    dark, bright = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (left, right))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHTS)
def test_two_states_are_never_alike(sight: str) -> None:
    """Any two states differ clearly, also for who sees two primary colours only."""
    seen = {name: lab(SIGHTS[sight] @ linear(paint.fill)) for name, paint in palette.STATES.items()}
    gaps = {
        (one.name, other.name): float(np.linalg.norm(seen[one] - seen[other]))
        for one, other in combinations(seen, 2)
    }
    assert {} == {pair: gap for pair, gap in gaps.items() if gap < APART}


def test_text_upon_a_colour_is_legible() -> None:
    """WCAG 2.2, 1.4.3 asks for 4.5 to 1."""
    paints = [*palette.STATES.values(), *palette.SEVERITIES.values()]
    assert [] == [paint for paint in paints if contrast(*paint) < 4.5]


def test_the_palette_is_complete() -> None:
    """Each word of the tables has its paint or stroke."""
    assert list(State) == list(palette.STATES)
    assert SEVERITIES == tuple(palette.SEVERITIES)
    assert set(BASES) == set(palette.STROKES)
    assert {"solid", "dashed", "dotted"} == set(palette.STROKES.values())


def test_a_state_by_its_name() -> None:
    """As the tables spell it."""
    assert palette.STATES[State.TIME_WAIT] == palette.paint_of("TIME_WAIT")
