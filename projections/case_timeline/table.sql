-- name: definition
-- No key on the position: a second index would cost every event, and no query asks by it alone. The ledger's positions
-- are unique, and the watermark lets each come once. Collation "C": the order of a digest is the same everywhere.
create table case_timeline_event (
    position bigint not null,
    stream text collate "C" not null,
    version integer not null,
    type text collate "C" not null,
    recorded_at timestamptz not null,
    role text collate "C" not null,
    actor uuid not null,
    data text not null
);
create unique index case_timeline_event_by_stream on case_timeline_event (stream, position);
create table case_timeline_link (
    position bigint not null,
    stream text collate "C" not null,
    kind text collate "C" not null,
    other text collate "C" not null,
    holds boolean not null
);
create unique index case_timeline_link_by_stream on case_timeline_link (stream, other, position desc);
-- What a report was received as later, and the cases that it was ever linked to.
create index case_timeline_link_of_report on case_timeline_link (other) where kind in ('earlier', 'report');

-- name: timeline
-- One page of the stream $1 after position $2, at most $3 rows; as it was at the position $4 (null: as it is). A case shows its own events, those of cases it has
-- absorbed and of reports linked to any of these, now or earlier; a report shows also what it was received as before.
-- `still_linked` is false where only a tie that was undone leads to a report. Each stream gives at most a page, so a
-- case of a thousand reports costs a thousand short index scans, never all of their events.
with recursive belonging (stream, still_linked) as (
    select $1::text collate "C", true
    union
    select tie.other, belonging.still_linked and tie.holds
    from belonging
    cross join lateral (
        select distinct on (link.other) link.other, link.kind, link.holds
        from case_timeline_link as link
        where link.stream = belonging.stream and ($4::bigint is null or link.position <= $4)
        order by link.other, link.position desc
    ) as tie
    where tie.holds or tie.kind = 'report'
),
shown as (select stream, bool_or(still_linked) as still_linked from belonging group by stream)
select event.position, event.stream, event.version, event.type, event.recorded_at, event.role, event.actor, event.data,
    shown.still_linked
from shown
cross join lateral (
    select * from case_timeline_event as one
    where one.stream = shown.stream and one.position > $2 and ($4::bigint is null or one.position <= $4)
    order by one.position
    limit $3
) as event
order by event.position
limit $3

-- name: belonging
-- The streams of which the stream $1 shows something, as it is.
with recursive belonging (stream) as (
    select $1::text collate "C"
    union
    select tie.other
    from belonging
    cross join lateral (
        select distinct on (link.other) link.other, link.kind, link.holds
        from case_timeline_link as link
        where link.stream = belonging.stream
        order by link.other, link.position desc
    ) as tie
    where tie.holds or tie.kind = 'report'
)
select stream from belonging

-- name: digest_events
-- In the index's order, so that a digest of a long history sorts nothing.
select jsonb_build_array(stream, position, version, type, recorded_at at time zone 'utc', role, actor, data)::text
from case_timeline_event order by stream, position

-- name: digest_links
-- What belongs to what, with every change of it.
select jsonb_build_array(stream, other, position, kind, holds)::text
from case_timeline_link order by stream, other, position desc

-- name: seen_event
-- A timeline's row has no place of its own, since it is what was written: the ledger knows its home. What a report was
-- received as before may lie in another home, and belongs to it.
(select current_setting('intabaza.units', true)) = '*'
or (select home from ledger.event where event.position = case_timeline_event.position)
    in (select unnest(string_to_array(current_setting('intabaza.homes', true), ',')))
or exists (
    select from case_timeline_link as tie where tie.other = case_timeline_event.stream and tie.kind = 'earlier')

-- name: seen_link
-- A tie is where the event that made it is.
(select current_setting('intabaza.units', true)) = '*'
or (select home from ledger.event where event.position = case_timeline_link.position)
    in (select unnest(string_to_array(current_setting('intabaza.homes', true), ',')))
