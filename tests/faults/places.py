"""Where things happen: communes of several provinces, three of which the most is told of."""

from __future__ import annotations

UNITS = tuple(
    f"bi:c2015:{name}"
    for name in ("gihanga", "mpanda", "gisuru", "bubanza", "bugendana", "buhiga", "rugombo", "bukemba")
)
PROVINCES = ("bi:p2015:bubanza", "bi:p2015:ruyigi")
"""In which those three lie."""
COUNTRY = "bi"
