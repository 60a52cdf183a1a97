"""Which places are watched, how well, and since when nobody watches: calm and cut off must not look the same.

Rows: `coverage_unit`, one for every unit that a reporter was ever assigned to, and `coverage_channel`, one for every
channel over which somebody was ever assigned there; `coverage_source` and `coverage_home`, what the fold needs to go
on, which no reader of the API sees. projections/watching says what every word of it means.

A unit is `watched`, `lost`, or `unknown`: where its first reporters have not spoken yet, where the rules in force say
nothing of coverage, or where another gazetteer left it;
a channel is `watched`, `lost`, or `unassigned` where nobody is assigned over it any more, or the unit is unknown.
`since` is the day from which it is so. What is counted is reporters; nobody is named, and which of them is silent
stands nowhere.

Where an engine speaks, each unit and each channel that is lost is told once as `level.coverage_lost`, and once as
`level.coverage_restored` when it is watched again: also where the whole unit falls lost, each of its channels for
itself. What is unknown or unassigned meanwhile is told of neither. An engine that begins to speak tells what is lost
then. The seeds are `coverage/<unit>/<n>` and `coverage/<unit>/<channel>/<n>`, n counting what was told of either.
"""

from projections.coverage.fold import Coverages
from projections.coverage.home import Home
from projections.coverage.table import CoverageTable
from projections.coverage.told import NAME, VERSION, Told
from projections.projection import Projection

PROJECTION: Projection[Home, Told] = Projection(NAME, VERSION, Coverages(), CoverageTable(), form=2)
