-- name: definition
-- A gap that was answered stays: it is the record of how long a warning waited.
create table referral_board (
    stream text collate "C" not null,
    referral_id uuid not null,
    recipient text collate "C" not null,
    purpose text collate "C" not null,
    state text collate "C" not null,
    is_open boolean not null,
    unit text collate "C" not null,
    home text collate "C" not null,
    referred_at timestamptz not null,
    state_since timestamptz not null,
    acknowledge_by timestamptz not null,
    act_by timestamptz not null,
    next_due timestamptz,
    overdue_since timestamptz,
    outcome text collate "C",
    successful boolean,
    reason text collate "C",
    contradicted integer not null,
    follows uuid,
    primary key (stream, referral_id)
);
create index referral_board_in_order on referral_board ((coalesce(next_due, 'infinity')), stream, referral_id)
where is_open;
create index referral_board_by_recipient
on referral_board (recipient, (coalesce(next_due, 'infinity')), stream, referral_id);
-- How many there are, since a history's referrals are too many to be counted anew for each who asks. A row of a unit
-- is written by the partition of its home alone.
create table referral_board_count (
    unit text collate "C" not null,
    recipient text collate "C" not null,
    state text collate "C" not null,
    outcome text collate "C",
    overdue boolean not null,
    referrals bigint not null,
    unique nulls not distinct (unit, recipient, state, outcome, overdue)
);
create table referral_board_gap (
    stream text collate "C" not null,
    awaited text collate "C" not null,
    subject text collate "C" not null,
    step integer not null,
    unit text collate "C" not null,
    home text collate "C" not null,
    due timestamptz not null,
    answered_at timestamptz,
    answered_by text collate "C",
    rung integer not null,
    tell text collate "C",
    rung_due timestamptz,
    next_tell text collate "C",
    next_due timestamptz,
    primary key (stream, awaited, subject, step)
);
create index referral_board_gap_open on referral_board_gap (due, stream, awaited, subject) where answered_at is null;
create table referral_board_case (
    stream text collate "C" primary key,
    partition integer not null,
    due timestamptz,
    body json not null
);
create index referral_board_case_due on referral_board_case (partition) where due is not null;

-- name: load
-- The states of the cases $1 that have any.
select stream, body from referral_board_case where stream = any ($1::text[])

-- name: dues
-- When something falls due for each case of a partition, spelt as on the wire.
select to_char(due at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as due, stream
from referral_board_case where partition = $1 and due is not null

-- name: write_referral
-- The whole row: a step changes most of it. What it was counted as before is counted off.
with given as materialized (
    select stream, referral_id::uuid, recipient, purpose, state, is_open, unit, home, referred_at::timestamptz,
        state_since::timestamptz, acknowledge_by::timestamptz, act_by::timestamptz, next_due::timestamptz,
        overdue_since::timestamptz, outcome, successful, reason, contradicted, follows::uuid
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::boolean[],
        $17::text[], $18::integer[], $19::text[])
        as t (stream, referral_id, recipient, purpose, state, is_open, unit, home, referred_at, state_since,
            acknowledge_by, act_by, next_due, overdue_since, outcome, successful, reason, contradicted, follows)
), moved as (
    select unit, recipient, state, outcome, overdue_since is not null as overdue, 1 as by from given
    union all
    select was.unit, was.recipient, was.state, was.outcome, was.overdue_since is not null, -1
    from given join referral_board as was using (stream, referral_id)
), counted as (
    insert into referral_board_count as known (unit, recipient, state, outcome, overdue, referrals)
    select unit, recipient, state, outcome, overdue, sum(by) from moved
    group by unit, recipient, state, outcome, overdue having sum(by) <> 0
    on conflict (unit, recipient, state, outcome, overdue) do update set referrals = known.referrals + excluded.referrals
)
insert into referral_board select * from given
on conflict (stream, referral_id) do update set
    recipient = excluded.recipient, purpose = excluded.purpose, state = excluded.state, is_open = excluded.is_open,
    unit = excluded.unit, home = excluded.home, referred_at = excluded.referred_at, state_since = excluded.state_since,
    acknowledge_by = excluded.acknowledge_by, act_by = excluded.act_by, next_due = excluded.next_due,
    overdue_since = excluded.overdue_since, outcome = excluded.outcome, successful = excluded.successful,
    reason = excluded.reason, contradicted = excluded.contradicted, follows = excluded.follows

-- name: write_gap
-- A gap that passed, or was answered after all.
insert into referral_board_gap
select stream, awaited, subject, step, unit, home, due::timestamptz, answered_at::timestamptz, answered_by, rung, tell,
    rung_due::timestamptz, next_tell, next_due::timestamptz
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::integer[], $11::text[], $12::text[], $13::text[], $14::text[])
    as t (stream, awaited, subject, step, unit, home, due, answered_at, answered_by, rung, tell, rung_due, next_tell,
        next_due)
on conflict (stream, awaited, subject, step) do update set
    unit = excluded.unit, home = excluded.home, due = excluded.due, answered_at = excluded.answered_at,
    answered_by = excluded.answered_by, rung = excluded.rung, tell = excluded.tell, rung_due = excluded.rung_due,
    next_tell = excluded.next_tell, next_due = excluded.next_due

-- name: write_case
-- What is known of a case, and when something falls due for it.
insert into referral_board_case
select stream, partition, due::timestamptz, body::json
from unnest($1::text[], $2::text[], $3::text[], :partition) as t (stream, due, body, partition)
on conflict (stream) do update set partition = excluded.partition, due = excluded.due, body = excluded.body

-- name: board
-- One page of open referrals by what is due next. Of recipients $1, states $2, units $3, each null for all; only overdue
-- ones where $4. The page begins after the last row of the one before ($5 deadline, $6 stream, $7 referral, all null for
-- the first); at most $8 rows.
select *, coalesce(next_due, 'infinity') as deadline
from referral_board
where is_open
    and ($1::text[] is null or recipient = any ($1))
    and ($2::text[] is null or state = any ($2))
    and ($3::text[] is null or unit = any ($3))
    and (not $4::boolean or overdue_since is not null)
    and ($6::text is null or (coalesce(next_due, 'infinity'), stream, referral_id) > ($5::timestamptz, $6, $7::uuid))
order by coalesce(next_due, 'infinity'), stream, referral_id
limit $8

-- name: of_recipient
-- One page of everything that the recipient $1 was ever asked for, what is due next first; paged as `board` ($2 deadline,
-- $3 stream, $4 referral); at most $5 rows.
select *, coalesce(next_due, 'infinity') as deadline
from referral_board
where recipient = $1
    and ($3::text is null or (coalesce(next_due, 'infinity'), stream, referral_id) > ($2::timestamptz, $3, $4::uuid))
order by coalesce(next_due, 'infinity'), stream, referral_id
limit $5

-- name: of_case
-- All referrals of one case, in the order in which they were made.
select * from referral_board where stream = $1 order by referred_at, referral_id

-- name: counts
-- How many referrals each recipient has in which state, and how many are overdue. Of units $1, null for all.
select recipient, state, outcome, sum(referrals)::bigint as referrals,
    coalesce(sum(referrals) filter (where overdue), 0)::bigint as overdue
from referral_board_count
where $1::text[] is null or unit = any ($1)
group by recipient, state, outcome having sum(referrals) > 0
order by recipient, state, outcome

-- name: counts_of_cases
-- The same of the cases $2, which are counted one by one.
select recipient, state, outcome, count(*)::bigint as referrals,
    count(*) filter (where overdue_since is not null)::bigint as overdue
from referral_board
where ($1::text[] is null or unit = any ($1)) and stream = any ($2::text[])
group by recipient, state, outcome
order by recipient, state, outcome

-- name: streams
-- Every case that was ever referred, of units $1, null for all.
select distinct stream from referral_board where $1::text[] is null or unit = any ($1)

-- name: gaps
-- One page of answers that did not come and are awaited still, the longest overdue first. Of units $1, what is awaited $2
-- and rungs $3, each null for all; after the last row of the page before ($4 due, $5 stream, $6 awaited, $7 subject); at
-- most $8.
select stream, awaited, subject, step, unit, home, due, rung, tell, rung_due, next_tell, next_due
from referral_board_gap
where answered_at is null
    and ($1::text[] is null or unit = any ($1))
    and ($2::text[] is null or awaited = any ($2))
    and ($3::integer[] is null or rung = any ($3))
    and ($5::text is null or (due, stream, awaited, subject) > ($4::timestamptz, $5, $6::text, $7::text))
order by due, stream, awaited, subject
limit $8

-- name: open_gaps
-- How many answers are awaited still that did not come in time, by what is awaited and how far that has climbed.
select awaited, rung, count(*)::bigint as gaps from referral_board_gap where answered_at is null
group by awaited, rung order by awaited, rung

-- name: gaps_of_case
-- Every answer about one case that did not come in time, with when it came after all.
select awaited, subject, step, due, answered_at, answered_by, rung, tell, rung_due, next_tell, next_due
from referral_board_gap where stream = $1 order by due, awaited, subject, step

-- name: digest_referrals
-- Every referral.
select jsonb_build_array(stream, referral_id, recipient, purpose, state, is_open, unit, home,
    referred_at at time zone 'utc', state_since at time zone 'utc', acknowledge_by at time zone 'utc',
    act_by at time zone 'utc', next_due at time zone 'utc', overdue_since at time zone 'utc', outcome, successful,
    reason, contradicted, follows)::text
from referral_board order by stream, referral_id

-- name: digest_counts
-- How many there are. Whether what is none any more has a row says only how often was written.
select jsonb_build_array(unit, recipient, state, outcome, overdue, referrals)::text
from referral_board_count where referrals <> 0 order by unit, recipient, state, outcome, overdue

-- name: digest_gaps
-- Every answer that did not come in time.
select jsonb_build_array(stream, awaited, subject, step, unit, home, due at time zone 'utc',
    answered_at at time zone 'utc', answered_by, rung, tell, rung_due at time zone 'utc', next_tell,
    next_due at time zone 'utc')::text
from referral_board_gap order by stream, awaited, subject, step

-- name: digest_cases
-- What is known of each case; the partition is left out.
select jsonb_build_array(stream, due at time zone 'utc', body::jsonb)::text from referral_board_case order by stream
