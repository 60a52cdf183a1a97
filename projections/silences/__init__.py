"""What subscribers are left in peace with, of which unit, until when: silences that stand, and those that are over.

Rows: `silence`, one for each that was ever begun. It ends when somebody ends it, else at its `until`; time passes by it
before the next event of its unit's silences, and at the next broadcast.

Of each its beginning and its end are told as `alert.silence_announced`, once, with what is held back and not by whom or
why. The seeds are `silence/<silence_id>/begins` and `…/ends`. It speaks without an engine having been adopted: before
there were silences there was nothing to say, and one of which nobody is told may hold nothing back.
"""

from projections.projection import Projection
from projections.silences.fold import NAME, VERSION, OfUnit, Silences
from projections.silences.table import SilenceTable

PROJECTION: Projection[OfUnit, None] = Projection(NAME, VERSION, Silences(), SilenceTable())
