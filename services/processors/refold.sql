-- name: forget_watermarks
-- A place that is no longer there has come nowhere.
delete from projections.watermark where place = $1

-- name: forget_shared
-- Nor has it been told anything.
delete from projections.shared where place = $1

-- name: forget_parked
-- Nor does anything wait there.
delete from projections.parked where place = $1

-- name: indexes
-- Of each table of a place, with or without those of its constraints: what takes an index away, and what makes it anew.
select t.relname as table,
    case when k.oid is null then format('drop index %I.%I', $1::text, c.relname)
        else format('alter table %I.%I drop constraint %I', $1::text, t.relname, k.conname) end as dropping,
    case when k.oid is null then pg_get_indexdef(c.oid)
        else format('alter table %I.%I add constraint %I %s', $1::text, t.relname, k.conname, pg_get_constraintdef(k.oid))
        end as making
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_class t on t.oid = i.indrelid
left join pg_constraint k on k.conindid = c.oid and k.contype in ('p', 'u')
where t.relnamespace = to_regnamespace($1) and (k.oid is null or $2)
order by t.relname, c.relname

-- name: lines
-- How far places have come, at one moment.
select place, partition, next_offset, last_position from projections.watermark where place = any ($1)

-- name: waits
-- From which position on the first key of a partition waits, in places that have come somewhere.
select w.place, w.partition, min(p.position) as position
from projections.parked p join projections.watermark w using (place, partition)
where w.place = any ($1) group by w.place, w.partition

-- name: folded
-- How many records a refolding has behind it.
select coalesce(min(read), 0)::bigint from (
    select sum(next_offset) as read from projections.watermark where place = any ($1) group by place
) as places

-- name: rebuild_alone
-- Held by the session that rebuilds; never waits.
select pg_try_advisory_lock(7310394218800038)

-- name: rebuilt
-- The next one may.
select pg_advisory_unlock(7310394218800038)

-- name: hold_marks
-- Both places' watermarks, locked in one order: no live commit comes in between.
select place, partition, last_position from projections.watermark
where place = any ($1) order by place, partition for update

-- name: move_watermarks
-- Another generation, so that whoever folded the old rows in memory can commit nothing.
update projections.watermark set place = $1, generation = gen_random_uuid() where place = $2

-- name: move_shared
-- What broadcasts told goes along.
update projections.shared set place = $1 where place = $2

-- name: move_parked
-- And what waits.
update projections.parked set place = $1 where place = $2

-- name: make_compared
-- Both sides' rows as text, so that a long history needs no memory in the client.
create temporary table compared (live boolean, line text) on commit drop

-- name: differing
-- Rows that one side has more often than the other; the first of them, and how many in all.
select live, line, count(*) over () as many from (
    (select true as live, line from pg_temp.compared where live
     except all select true, line from pg_temp.compared where not live)
    union all
    (select false, line from pg_temp.compared where not live
     except all select false, line from pg_temp.compared where live)
) as differing order by line limit $1
