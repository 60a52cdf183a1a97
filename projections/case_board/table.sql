-- name: definition
-- Of the columns beside `body` each is asked by; all else is read from it. A case that leaves the board leaves the
-- index of the board with it, so old cases cost a board nothing.
create table case_board (
    stream text collate "C" primary key,
    home text collate "C" not null,
    unit text collate "C" not null,
    kind text collate "C" not null,
    stage text collate "C" not null,
    on_the_board boolean not null,
    provisional boolean not null,
    next_deadline timestamptz,
    severity text collate "C",
    verification_state text collate "C",
    merged_into text collate "C",
    body json not null
);
create index case_board_in_order on case_board ((not provisional), (coalesce(next_deadline, 'infinity')), stream)
where on_the_board;
create index case_board_by_unit on case_board (unit) where on_the_board;
create index case_board_off on case_board (unit, stream) where not on_the_board;
create index case_board_absorbed on case_board (merged_into) where merged_into is not null;
create table case_board_fallen (
    report_id uuid primary key,
    how text collate "C" not null,
    fell_at timestamptz not null
);

-- name: load
-- The states of the cases $1 that have any.
select stream, body from case_board where stream = any ($1::text[])

-- name: write_case
-- The whole row, since the body changes with every event.
insert into case_board
select stream, home, unit, kind, stage, on_the_board, provisional, next_deadline::timestamptz, severity,
    verification_state, merged_into, body::json
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::boolean[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[])
    as t (stream, home, unit, kind, stage, on_the_board, provisional, next_deadline, severity, verification_state,
        merged_into, body)
on conflict (stream) do update set
    home = excluded.home, unit = excluded.unit, kind = excluded.kind, stage = excluded.stage,
    on_the_board = excluded.on_the_board, provisional = excluded.provisional, next_deadline = excluded.next_deadline,
    severity = excluded.severity, verification_state = excluded.verification_state,
    merged_into = excluded.merged_into, body = excluded.body

-- name: write_fallen
-- A report falls once; a second falling (which no door accepts) would be the later word.
insert into case_board_fallen
select report_id::uuid, how, fell_at::timestamptz from unnest($1::text[], $2::text[], $3::text[]) as t (report_id, how, fell_at)
on conflict (report_id) do update set how = excluded.how, fell_at = excluded.fell_at

-- name: board
-- One page of open cases: provisional ones first, then by their next deadline. Of units $1, kinds $2, stages $3,
-- severities $4, each null for all. The page begins after the last row of the one before: its `later` $5, `deadline` $6
-- and `stream` $7, all null for the first; at most $8 rows.
with page as (
    select stream, home, unit, kind, stage, provisional, next_deadline, severity, verification_state, body,
        not provisional as later, coalesce(next_deadline, 'infinity') as deadline
    from case_board
    where on_the_board
        and ($1::text[] is null or unit = any ($1))
        and ($2::text[] is null or kind = any ($2))
        and ($3::text[] is null or stage = any ($3))
        and ($4::text[] is null or severity = any ($4))
        and ($7::text is null
            or (not provisional, coalesce(next_deadline, 'infinity'), stream) > ($5::boolean, $6::timestamptz, $7))
    order by not provisional, coalesce(next_deadline, 'infinity'), stream
    limit $8
)
select page.*, below.reports_linked, below.reports_standing, below.referrals_open
from page
cross join lateral (
    with recursive family (stream) as (
        select page.stream
        union
        select absorbed.stream from family join case_board as absorbed on absorbed.merged_into = family.stream
    ),
    member as materialized (select one.body from family join case_board as one on one.stream = family.stream),
    linked as (
        select distinct report_id::uuid from member cross join lateral json_object_keys(body -> 'linked') as report_id
    )
    select count(*) as reports_linked,
        count(*) filter (where not exists (
            select from case_board_fallen as fallen where fallen.report_id = linked.report_id)) as reports_standing,
        (
            select count(*)
            from member cross join lateral json_each(body -> 'referrals') as referral
            where referral.value ->> 'state' in ('referred', 'acknowledged', 'accepted')
        ) as referrals_open
    from linked
) as below
order by later, deadline, stream

-- name: counts
-- How many open cases stand where, in which stage and how bad: the head of a board. Of units $1 and streams $2, each null
-- for all.
select unit, kind, stage, severity, count(*) as cases, count(*) filter (where provisional) as provisional
from case_board
where on_the_board and ($1::text[] is null or unit = any ($1)) and ($2::text[] is null or stream = any ($2))
group by unit, kind, stage, severity
order by unit, kind, stage, severity

-- name: on_the_board
-- Every open case of units $1, null for all.
select stream from case_board where on_the_board and ($1::text[] is null or unit = any ($1))

-- name: found
-- Any case, whether on the board or off it; where it was merged away, into which.
select stream, home, unit, kind, stage, on_the_board, provisional, next_deadline, severity, verification_state,
    merged_into, body
from case_board where stream = $1

-- name: off_the_board
-- One page of cases that left the board in units $1 (null for all), after the (unit, stream) of the page before ($2, $3);
-- at most $4 rows.
select stream, home, unit, kind, stage, severity, verification_state, merged_into, body
from case_board
where not on_the_board and ($1::text[] is null or unit = any ($1))
    and ($2::text is null or (unit, stream) > ($2, $3))
order by unit, stream
limit $4

-- name: digest_cases
-- The columns beside the body follow from it, but a fault in writing them must show.
select jsonb_build_array(stream, home, unit, kind, stage, on_the_board, provisional,
    next_deadline at time zone 'utc', severity, verification_state, merged_into, body::jsonb)::text
from case_board order by stream

-- name: digest_fallen
-- Reports that stand no more.
select jsonb_build_array(report_id, how, fell_at at time zone 'utc')::text from case_board_fallen order by report_id

-- name: seen_fallen
-- Which reports stand no more: nothing but their ids, for whoever sees any unit.
(select current_setting('intabaza.units', true)) <> ''
