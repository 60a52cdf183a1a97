"""Levels and points as people say them."""

from __future__ import annotations

LEVELS = ("calm", "watch", "tension", "alert", "crisis")


def points(thousandths: int) -> str:
    """Points out of thousandths: 52500 is 52.5."""
    whole, rest = divmod(abs(thousandths), 1000)
    fraction = f".{rest:03d}".rstrip("0").rstrip(".")
    return f"{'-' if thousandths < 0 else ''}{whole}{fraction}"
