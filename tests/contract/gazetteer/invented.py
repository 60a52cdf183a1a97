"""Vela, a country that does not exist: six communes that became four, so that nothing here knows about Burundi.

Aro and Bel became Abel. Cor was split between Corin and a new Dun, which also took the old Dun. Eri is as it was; Fen
became New Fen. So there are four homes of communes.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "gazetteer.toml": """\
gazetteer_id = "ve"
name = "Vela"
edition = 1

[[divisions]]
division = "d1"
name = "six communes"
sources = ["made-up"]

[[divisions]]
division = "d2"
name = "four communes and a part"
valid_from = 2030-01-01
sources = ["made-up"]

[sources]
made-up = "Invented for tests"
""",
    "units.csv": """\
unit_id,kind,name,latitude_udeg,longitude_udeg,population,population_year,pcode,national_code,iso_3166,sources
ve,country,Vela,,,,,,,VE,made-up
ve:p:north,province,North,,,,,VE1,,VE-N,made-up
ve:p:south,province,South,,,,,VE2,,VE-S,made-up
ve:c:aro,commune,Aro,-1500000,30250000,1200,2020,VE101,,,made-up
ve:c:bel,commune,Bél,-1600000,30250000,800,2020,VE102,,,made-up
ve:c:cor,commune,Cor,,,,,VE103,,,made-up
ve:c:dun,commune,Dun,,,,,VE201,,,made-up
ve:c:eri,commune,Eri,,,,,VE202,,,made-up
ve:c:fen,commune,Fen,,,,,VE203,,,made-up
ve:c2:abel,commune,Abel,,,,,,N-1,,made-up
ve:c2:corin,commune,Corin,,,,,,N-2,,made-up
ve:c2:dun,commune,Dun,,,,,,N-3,,made-up
ve:c2:newfen,commune,New Fen,,,,,,N-4,,made-up
ve:z:mill,zone,Mill,,,,,,,,made-up
ve:z:quay,zone,Quay,,,,,,,,made-up
ve:h:oak,hill,Oak,,,,,,,,made-up
ve:h:elm,hill,Elm,,,,,,,,made-up
outside:xx,outside,Elsewhere,,,,,,,,made-up
unplaced,unplaced,Not known,,,,,,,,made-up
""",
    "parents.csv": """\
division,unit_id,parent_id,sources
d1,ve:p:north,ve,made-up
d1,ve:p:south,ve,made-up
d1,ve:c:aro,ve:p:north,made-up
d1,ve:c:bel,ve:p:north,made-up
d1,ve:c:cor,ve:p:north,made-up
d1,ve:c:dun,ve:p:south,made-up
d1,ve:c:eri,ve:p:south,made-up
d1,ve:c:fen,ve:p:south,made-up
d1,ve:h:oak,ve:c:cor,made-up
d2,ve:p:north,ve,made-up
d2,ve:p:south,ve,made-up
d2,ve:c2:abel,ve:p:north,made-up
d2,ve:c2:corin,ve:p:north,made-up
d2,ve:c2:dun,ve:p:south,made-up
d2,ve:c:eri,ve:p:south,made-up
d2,ve:c2:newfen,ve:p:south,made-up
d2,ve:z:mill,ve:c2:corin,made-up
d2,ve:z:quay,ve:c2:dun,made-up
d2,ve:h:elm,ve:z:quay,made-up
d2,ve:h:oak,ve:z:quay,made-up
""",
    "aliases.csv": """\
unit_id,alias,kind,sources
ve:c:bel,Belle,spelling,made-up
ve:c:aro,Old Harbour,former_commune,made-up
""",
    "successions.csv": """\
division,from_id,to_id,share_permille,zones,hills,confidence,sources
d2,ve:c:aro,ve:c2:abel,1000,,,high,made-up
d2,ve:c:bel,ve:c2:abel,1000,,,high,made-up
d2,ve:c:cor,ve:c2:corin,700,1,7,high,made-up
d2,ve:c:cor,ve:c2:dun,300,1,3,medium,made-up
d2,ve:c:dun,ve:c2:dun,1000,,,documented,made-up
d2,ve:c:fen,ve:c2:newfen,1000,,,documented,made-up
""",
    "earlier.csv": """\
division,unit_id,commune_id,confidence,sources
d1,ve:z:quay,ve:c:cor,high,made-up
d1,ve:h:elm,ve:c:dun,high,made-up
""",
}


def write(folder: Path, **changed: str) -> Path:
    """Write Vela's files into a folder; a changed file is given by its name without the dot (`units_csv`)."""
    for name, text in {**FILES, **{key.replace("_", "."): text for key, text in changed.items()}}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def changed(file: str, old: str, new: str) -> str:
    """Return a file's text with one passage changed; the passage must be there exactly once."""
    assert FILES[file].count(old) == 1, f"{file} has {FILES[file].count(old)} of {old!r}"
    return FILES[file].replace(old, new)
