-- name: definition
-- `subject` tells referrals of one case apart. Of the two tables of states, only what joins them has columns.
create table review_queue (
    stream text collate "C" not null,
    what text collate "C" not null,
    subject text collate "C" not null,
    whom text collate "C" not null,
    since timestamptz not null,
    due timestamptz,
    home text collate "C" not null,
    unit text collate "C" not null,
    kind text collate "C" not null,
    urgent boolean not null,
    round integer,
    grades integer,
    agreeing integer,
    graded_by uuid[] not null,
    recused uuid[] not null,
    primary key (stream, what, subject)
);
create index review_queue_in_order on review_queue (whom, (not urgent), since, stream, what, subject);
create table review_queue_report (
    stream text collate "C" primary key,
    stands boolean not null,
    changed_at bigint,
    body json not null
);
create table review_queue_case (
    stream text collate "C" primary key,
    takes_assessment boolean not null,
    assessed_at bigint,
    body json not null
);
create index review_queue_case_assessed on review_queue_case (stream)
where takes_assessment and assessed_at is not null;

-- name: load
-- The states of the streams $1 that have any.
select stream, body from review_queue_report where stream = any ($1::text[])
union all
select stream, body from review_queue_case where stream = any ($1::text[])

-- name: write_answered
-- What waits no more.
delete from review_queue
using unnest($1::text[], $2::text[], $3::text[]) as t (stream, what, subject)
where review_queue.stream = t.stream and review_queue.what = t.what and review_queue.subject = t.subject

-- name: write_waiting
-- What waits now, with what is known of it.
insert into review_queue (
    stream, what, since, home, unit, kind, urgent, subject, due, round, grades, agreeing, graded_by, recused, whom)
select stream, what, since::timestamptz, home, unit, kind, urgent, subject, due::timestamptz, round, grades, agreeing,
    graded_by::uuid[], recused::uuid[], whom
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[],
    $9::text[], $10::integer[], $11::integer[], $12::integer[], $13::text[], $14::text[], $15::text[])
    as t (stream, what, since, home, unit, kind, urgent, subject, due, round, grades, agreeing, graded_by, recused,
        whom)
on conflict (stream, what, subject) do update set
    since = excluded.since, home = excluded.home, unit = excluded.unit, kind = excluded.kind, urgent = excluded.urgent,
    due = excluded.due, round = excluded.round, grades = excluded.grades, agreeing = excluded.agreeing,
    graded_by = excluded.graded_by, recused = excluded.recused, whom = excluded.whom

-- name: write_report
-- All that is known of a report.
insert into review_queue_report
select stream, stands, changed_at, body::json
from unnest($1::text[], $2::boolean[], $3::bigint[], $4::text[]) as t (stream, stands, changed_at, body)
on conflict (stream) do update set
    stands = excluded.stands, changed_at = excluded.changed_at, body = excluded.body

-- name: write_case
-- All that is known of a case.
insert into review_queue_case
select stream, takes_assessment, assessed_at, body::json
from unnest($1::text[], $2::boolean[], $3::bigint[], $4::text[]) as t (stream, takes_assessment, assessed_at, body)
on conflict (stream) do update set
    takes_assessment = excluded.takes_assessment, assessed_at = excluded.assessed_at, body = excluded.body

-- name: waiting
-- One page of what waits for the role $1: what is urgent first, then what waits longest. Of the things $2 and units $3,
-- each null for all. With $4 grades that must agree, a report waits for grades below that number, for its conclusion
-- from it on. The page begins after the last row of the one before ($5 later, $6 since, $7 stream, $8 what, $9 subject,
-- all null for the first); at most $10 rows.
select stream, what, subject, since, due, home, unit, kind, urgent, round, grades, agreeing, graded_by, recused,
    not urgent as later
from review_queue
where whom = $1
    and ($2::text[] is null or what = any ($2))
    and ($3::text[] is null or unit = any ($3))
    and (what <> 'grading' or agreeing < $4::integer)
    and (what <> 'conclusion' or agreeing >= $4::integer)
    and ($7::text is null
        or (not urgent, since, stream, what, subject) > ($5::boolean, $6::timestamptz, $7, $8::text, $9::text))
order by not urgent, since, stream, what, subject
limit $10

-- name: counts
-- How much waits for each role and since when the oldest does. Of units $1 and streams $3 (each null for all), $2 grades
-- must agree.
select whom, what, count(*) as things, min(since) as oldest, min(due) as first_due
from review_queue
where ($1::text[] is null or unit = any ($1))
    and ($3::text[] is null or stream = any ($3))
    and (what <> 'grading' or agreeing < $2::integer)
    and (what <> 'conclusion' or agreeing >= $2::integer)
group by whom, what
order by whom, what

-- name: streams
-- Every report and case that waits, of units $1, null for all.
select distinct stream from review_queue where $1::text[] is null or unit = any ($1)

-- name: evidence_changed
-- Cases that were assessed on reports of which one was concluded, corrected, withdrawn or received elsewhere since,
-- with those reports; the oldest change first. Of units $1 and streams $3 (cases and reports), each null for all; at most $2
-- rows. Cases whose own stream says already that they wait for an assessment are left to `waiting`.
select known.stream, known.body ->> 'unit' as unit, min(report.changed_at) as changed_at,
    array_agg(report.stream order by report.changed_at) as reports
from review_queue_case as known
cross join lateral json_object_keys(known.body -> 'linked') as linked
cross join lateral (  -- the limit keeps this a look-up by key, however many keys the planner expects of an object
    select stream, changed_at from review_queue_report where stream = 'report/' || linked limit 1
) as report
where known.takes_assessment and known.assessed_at is not null and report.changed_at > known.assessed_at
    and ($1::text[] is null or known.body ->> 'unit' = any ($1))
    and ($3::text[] is null or (known.stream = any ($3) and report.stream = any ($3)))
    and not exists (
        select from review_queue where review_queue.stream = known.stream and review_queue.what = 'assessment')
group by known.stream, known.body ->> 'unit'
order by min(report.changed_at), known.stream
limit $2

-- name: evidence_streams
-- Every case that was assessed, of units $1 (null for all), and the reports that are linked to these.
select known.stream
from review_queue_case as known
where known.takes_assessment and known.assessed_at is not null
    and ($1::text[] is null or known.body ->> 'unit' = any ($1))
union
select 'report/' || linked
from review_queue_case as known
cross join lateral json_object_keys(known.body -> 'linked') as linked
where known.takes_assessment and known.assessed_at is not null
    and ($1::text[] is null or known.body ->> 'unit' = any ($1))

-- name: digest_waiting
-- Everything that waits.
select jsonb_build_array(stream, what, subject, whom, since at time zone 'utc', due at time zone 'utc', home, unit, kind,
    urgent, round, grades, agreeing, graded_by, recused)::text
from review_queue order by stream, what, subject

-- name: digest_reports
-- What is known of each report.
select jsonb_build_array(stream, stands, changed_at, body::jsonb)::text from review_queue_report order by stream

-- name: digest_cases
-- What is known of each case.
select jsonb_build_array(stream, takes_assessment, assessed_at, body::jsonb)::text from review_queue_case order by stream
