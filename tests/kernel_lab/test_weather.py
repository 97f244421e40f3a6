"""Pins the weather: chances are those of the whole way, and a seed is a weather for good."""

from __future__ import annotations

from .weather import CLEAR, Weather

LEGS = 20_000


def test_chance_is_halved_for_a_leg() -> None:
    """Of a loss of 20 % each leg takes 10 %; within five deviations of 20 000 throws."""
    weather = Weather(1, loss=0.2)
    lost = sum(weather.loses() for _ in range(LEGS))
    assert 1_790 <= lost <= 2_210


def test_jitter_is_halved_for_a_leg() -> None:
    """No leg is later than half of the jitter, and every ns up to it may be."""
    weather = Weather(1, jitter=8)
    assert {0, 1, 2, 3, 4} == {weather.delays() for _ in range(1000)}


def test_clear_weather_spoils_nothing() -> None:
    """No loss, no double, no damage, no delay."""
    spoiled = [CLEAR.loses(), CLEAR.doubles(), CLEAR.damages(), CLEAR.delays()]
    assert [False, False, False, 0] == spoiled


def test_weather_says_its_seed() -> None:
    """What is printed is enough to have it again."""
    told = str(Weather(7, loss=0.05, jitter=20_000_000, duplication=0.01))
    assert "seed 7: loss 5.0%, duplication 1.0%, jitter 20 ms" == told
