-- name: begin
-- The watermarks of projections in one partition, made where it is the first time.
insert into projections.watermark (place, partition, projection, version, form, topic_id)
select place, $2, projection, version, form, $6
from unnest($1::text[], $3::text[], $4::int[], $5::int[]) as one (place, projection, version, form)
on conflict do nothing

-- name: end_frozen
-- Sessions of workers whose server has waited for the rest of a COPY as long as any statement may take: their process is
-- frozen or cut off, and no timeout of the server's ends them.
select count(pg_terminate_backend(pid)) from pg_stat_activity
where application_name = $1 and usename = current_user and pid <> pg_backend_pid()
  and state = 'active' and wait_event = 'ClientRead' and query_start < clock_timestamp() - make_interval(secs => $2)

-- name: marks
-- All projections of one partition in one look.
select w.place, w.projection, w.version, w.form, w.generation, w.topic_id, w.next_offset, w.last_position, s.body as shared
from projections.watermark w
left join projections.shared s on s.place = w.place and s.partition = w.partition
where w.partition = $1 and w.place = any ($2)

-- name: move
-- First in its transaction: every watermark moves from what this worker folded from, or not all are counted and the
-- worker throws away what it has. Rows of projections alone may be lost in a power cut together with their watermark.
-- It also says, as `stand` does, which schemas are meant from here on.
with asked as (
    select * from unnest(
        $1::integer[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::uuid[]
    ) as a (partition, place, generation, from_position, to_position, next_offset, next_due, topic_id)
), moved as (
    update projections.watermark w
    set last_position = a.to_position, next_offset = a.next_offset, next_due = a.next_due, topic_id = a.topic_id
    from asked a
    where w.place = a.place and w.partition = a.partition
      and w.generation = a.generation and w.last_position = a.from_position
    returning 1
)
select count(*), set_config('synchronous_commit', 'off', true), set_config('search_path', $9, true) from moved

-- name: stand
-- Which schemas the unqualified names of projections' queries mean, until the end of this transaction: all that one
-- worker folds into, always in one order, since a statement is planned anew wherever they are others.
select set_config('search_path', $1, true)

-- name: share
-- What broadcasts have told, whole: it is small.
insert into projections.shared (place, partition, body) values ($1, $2, $3)
on conflict (place, partition) do update set body = excluded.body

-- name: park
-- A key that is parked already keeps the position from which its events wait.
insert into projections.parked (place, partition, key, position, why, shared) values ($1, $2, $3, $4, $5, $6)
on conflict (place, key) do update set why = excluded.why, resume_asked = false

-- name: parked
-- What takes nothing in this partition.
select place, key from projections.parked where partition = $1 and place = any ($2)

-- name: parked_key
-- From where one key waits, and what broadcasts had told until then.
select position, why, shared from projections.parked where place = $1 and key = $2

-- name: still_parked
-- It was tried again.
update projections.parked set why = $3, resume_asked = false where place = $1 and key = $2

-- name: ask
-- An event of the log says that a key passes over something: it is to be tried again, also after a crash.
update projections.parked set resume_asked = true where place = $1 and key = $2

-- name: asked
-- Keys that are to be tried again, in any of these partitions.
select place, partition, key from projections.parked
where resume_asked and partition = any ($1) and place = any ($2) order by position, key

-- name: waivers
-- Which positions keys pass over, in all the history there is, or up to the position $1 where only so much is folded: so
-- a replay passes over them when it comes there.
select position, body from ledger.event
where stream = 'reference/waivers' and ($1::bigint is null or position <= $1) order by version

-- name: void
-- Those that do not count.
select projection, key, position from projections.waiver where void

-- name: pass_over
-- A live projection passed over these, so they count.
insert into projections.waiver (projection, key, position, void)
select $1, key, position, false from unnest($2::text[], $3::bigint[]) as passed (key, position)
on conflict do nothing

-- name: judge_in_turn
-- Partitions that come to one waiver at the same time see each other's watermarks.
lock table projections.waiver in share row exclusive mode

-- name: judge
-- A waiver was read. It counts where the key waits in this partition ($4) and has not taken the event; it is void where
-- it waits nowhere and every partition is beyond the event. The first judgement stands.
insert into projections.waiver (projection, key, position, void)
select $1, $2, $3, not waits
from (select exists (
    select from projections.parked where place = $1 and key = $2 and position <= $3
) as waits) as known
where case when waits then $4
    else (select min(last_position) from projections.watermark where place = $1) >= $3 end
on conflict do nothing

-- name: unpark
-- It has taken everything that waited, if it still stands where this worker found it.
delete from projections.parked where place = $1 and key = $2 and position = $3 returning 1

-- name: go_on
-- It has taken a piece of what waited, if it still stands where this worker found it, and is to be tried again.
update projections.parked set position = $4, why = $5, shared = $6
where place = $1 and key = $2 and position = $3 returning 1

-- name: waiting
-- What waits behind a parked key: its own events and the broadcasts since, as the ledger holds them.
select position, body, recorded_at, splice_version from ledger.event
where position >= $2 and position <= $3 and (stream = $1 or home = $1 or home = '*') order by position limit $4

-- name: hold
-- The append lock, until this transaction ends; the commit is synced from here on.
select ledger.hold()

-- name: said
-- Which derived events the ledger has already, under the lock.
select event_id, stream, version, type, home, body from ledger.event where event_id = any ($1)

-- name: heads
-- How long each stream is, under the lock: by its last event alone, since a level's stream grows for ever.
select one.stream, head.version
from unnest($1::text[]) as one (stream)
cross join lateral (
    select version from ledger.event where stream = one.stream collate "C" order by version desc limit 1
) as head

-- name: append
-- Waves of appends, one after the other in one call, each as the ledger's own append takes a group (migration 0003): a
-- wave is its first and last event, and each event is a command and a stream of its own.
select appended.outcome, appended.detail, appended.stream
from unnest($3::int[], $4::int[]) as wave (first, last)
cross join lateral (select array_agg(number) as numbers from generate_series(1, last - first + 1) as number) as of_wave
cross join lateral ledger.append(
    $1, $2, ($5::uuid[])[first:last], ($6::bytea[])[first:last], '{}', '{}',
    of_wave.numbers, ($7::text[])[first:last], ($8::bigint[])[first:last], ($9::text[])[first:last],
    of_wave.numbers, ($5::uuid[])[first:last], ($10::text[])[first:last], ($11::bytea[])[first:last]
) as appended
