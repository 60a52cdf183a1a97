-- name: made_by_the_stack
-- What nobody sent: a load under which no level changes and no alert is issued proves nothing about them.
select
    count(*) filter (where type = 'level.level_changed') as levels,
    count(*) filter (where type = 'alert.issued') as alerts,
    count(*) filter (where type = 'clock.ticked') as ticks
from ledger.event
