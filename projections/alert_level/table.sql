-- name: definition
-- Times stay text, spelt as on the wire: the fold compares them so, and a row read back is what was written. What only
-- the fold reads is text as well, since nobody asks inside it. Every engine has rows of its own, also before it speaks.
create table alert_level_case (
    engine integer not null,
    case_id uuid not null,
    home text collate "C" not null,
    partition integer not null,
    unit text collate "C" not null,
    laid_by boolean not null,
    body text not null,
    primary key (engine, case_id)
);
create index alert_level_case_by_partition on alert_level_case (partition);
create index alert_level_case_by_unit on alert_level_case (unit) where not laid_by;
create table alert_level_unit (
    engine integer not null,
    unit text collate "C" not null,
    home text collate "C" not null,
    partition integer not null,
    level smallint,
    points bigint not null,
    peace_offset bigint not null,
    window_permille integer not null,
    straight_to smallint,
    open_cases integer not null,
    outcomes_asked integer not null,
    confidence text not null,
    confidence_reason text not null,
    last_known text,
    taken_back boolean not null,
    cause text,
    effective_at text,
    changes integer not null,
    rules_hash text,
    contributions text not null,
    peace text not null,
    primary key (engine, unit)
);
-- Who watches: a reporter's stream, or a place, with what is known of it. The table has no column `unit`, so that nobody
-- who asks the API sees it.
create table alert_level_watch (
    engine integer not null,
    home text collate "C" not null,
    source text collate "C" not null,
    partition integer not null,
    body text not null,
    primary key (engine, home, source)
);
create table alert_level_home (
    engine integer not null,
    home text collate "C" not null,
    partition integer not null,
    due text,
    due_day integer not null,
    primary key (engine, home)
);
create table alert_level_said (
    unit text collate "C" primary key,
    home text collate "C" not null,
    partition integer not null,
    level smallint not null,
    levels integer not null,
    alerts integer not null,
    alert uuid,
    told smallint not null,
    told_at text,
    override_level smallint,
    override_held smallint,
    override_until text
);
create table alert_level_history (
    engine integer not null,
    unit text collate "C" not null,
    number integer not null,
    home text collate "C" not null,
    before smallint not null,
    after smallint not null,
    cause text not null,
    effective_at text not null,
    explanation text not null,
    primary key (engine, unit, number)
);

-- name: write_case
-- A case as it stands, or as it was laid by.
insert into alert_level_case (engine, case_id, home, partition, unit, laid_by, body)
select engine, case_id, home, partition, unit, laid_by, body
from unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::text[], :partition)
    as row (engine, case_id, home, unit, laid_by, body, partition)
on conflict (engine, case_id) do update set unit = excluded.unit, laid_by = excluded.laid_by, body = excluded.body

-- name: write_unit
-- A unit as it stands.
insert into alert_level_unit (
    engine, unit, home, partition, level, points, peace_offset, window_permille, straight_to, open_cases,
    outcomes_asked, confidence, confidence_reason, last_known, taken_back, cause, effective_at, changes, rules_hash,
    contributions, peace
)
select engine, unit, home, partition, level, points, peace_offset, window_permille, straight_to, open_cases,
    outcomes_asked, confidence, confidence_reason, last_known, taken_back, cause, effective_at, changes, rules_hash,
    contributions, peace
from unnest(
    $1::integer[], $2::text[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[], $7::integer[], $8::smallint[],
    $9::integer[], $10::integer[], $11::text[], $12::text[], $13::text[], $14::boolean[], $15::text[], $16::text[],
    $17::integer[], $18::text[], $19::text[], $20::text[], :partition
) as row (
    engine, unit, home, level, points, peace_offset, window_permille, straight_to, open_cases, outcomes_asked,
    confidence, confidence_reason, last_known, taken_back, cause, effective_at, changes, rules_hash, contributions, peace,
    partition
)
on conflict (engine, unit) do update set
    level = excluded.level, points = excluded.points, peace_offset = excluded.peace_offset,
    window_permille = excluded.window_permille, straight_to = excluded.straight_to, open_cases = excluded.open_cases,
    outcomes_asked = excluded.outcomes_asked, confidence = excluded.confidence,
    confidence_reason = excluded.confidence_reason, last_known = excluded.last_known,
    taken_back = excluded.taken_back, cause = excluded.cause, effective_at = excluded.effective_at,
    changes = excluded.changes, rules_hash = excluded.rules_hash, contributions = excluded.contributions,
    peace = excluded.peace

-- name: write_watch
-- What is known of who watches.
insert into alert_level_watch (engine, home, source, partition, body)
select engine, home, source, partition, body
from unnest($1::integer[], $2::text[], $3::text[], $4::text[], :partition) as row (engine, home, source, body, partition)
on conflict (engine, home, source) do update set body = excluded.body

-- name: write_home
-- When something falls due in a home.
insert into alert_level_home (engine, home, partition, due, due_day)
select engine, home, partition, due, due_day
from unnest($1::integer[], $2::text[], $3::text[], $4::integer[], :partition) as row (engine, home, due, due_day, partition)
on conflict (engine, home) do update set due = excluded.due, due_day = excluded.due_day

-- name: write_said
-- What the log was told of a unit: the seeds of what is said next follow from the numbers.
insert into alert_level_said (
    unit, home, partition, level, levels, alerts, alert, told, told_at, override_level, override_held, override_until
)
select unit, home, partition, level, levels, alerts, alert, told, told_at, override_level, override_held,
    override_until
from unnest(
    $1::text[], $2::text[], $3::smallint[], $4::integer[], $5::integer[], $6::uuid[], $7::smallint[], $8::text[],
    $9::smallint[], $10::smallint[], $11::text[], :partition
) as row (
    unit, home, level, levels, alerts, alert, told, told_at, override_level, override_held, override_until, partition
)
on conflict (unit) do update set
    level = excluded.level, levels = excluded.levels, alerts = excluded.alerts, alert = excluded.alert,
    told = excluded.told, told_at = excluded.told_at, override_level = excluded.override_level,
    override_held = excluded.override_held, override_until = excluded.override_until

-- name: write_history
-- A change; never changed itself.
insert into alert_level_history (engine, unit, number, home, before, after, cause, effective_at, explanation)
select *
from unnest(
    $1::integer[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::smallint[], $7::text[], $8::text[],
    $9::text[]
)

-- name: write_retired
-- An engine that speaks no more needs nothing to go on; its history stays.
with retired as (select * from unnest($1::integer[], $2::text[]) as row (engine, home)),
cases as (delete from alert_level_case as one using retired where (one.engine, one.home) = (retired.engine, retired.home)),
watch as (delete from alert_level_watch as one using retired where (one.engine, one.home) = (retired.engine, retired.home)),
units as (delete from alert_level_unit as one using retired where (one.engine, one.home) = (retired.engine, retired.home))
delete from alert_level_home as one using retired where (one.engine, one.home) = (retired.engine, retired.home)

-- name: load_homes
-- Homes, engine by engine; here and below those of a partition ($1), or some by name ($2).
select engine, home, due, due_day from alert_level_home where partition = $1 or home = any ($2::text[])

-- name: load_units
-- Their units.
select * from alert_level_unit where partition = $1 or home = any ($2::text[])

-- name: load_cases
-- Their cases; those laid by in order of their ids, which is cheapest to take in.
select engine, case_id::text as case_id, home, unit, laid_by, body from alert_level_case
where partition = $1 or home = any ($2::text[]) order by case_id

-- name: load_watch
-- Who watches them.
select engine, home, source, body from alert_level_watch where partition = $1 or home = any ($2::text[])

-- name: load_said
-- What the log was told of their units.
select unit, home, level, levels, alerts, alert, told, told_at, override_level, override_held, override_until
from alert_level_said where partition = $1 or home = any ($2::text[])

-- name: load_dues
-- When something falls due in each home of a partition: for its earliest engine, or where an override ends.
select min(due collate "C") as due, home
from (
    select due, home from alert_level_home where partition = $1 and due is not null
    union all
    select override_until, home from alert_level_said where partition = $1 and override_until is not null
) as one
group by home

-- name: now
-- Units as they stand, all or those of $1 (null: all), with what strangers are told of them. The engine that speaks is
-- the earliest that is left: older ones are retired when it is adopted, newer ones fold beside it and are not asked yet.
-- Of a unit that has no row strangers may be told a level all the same, which people decided.
(select distinct on (unit) unit, one.home, one.level, points, peace_offset, window_permille, straight_to, open_cases,
    outcomes_asked, confidence, confidence_reason, last_known, cause, effective_at, changes, rules_hash, contributions,
    peace, engine, told, told_at, alert, override_level, override_until
from alert_level_unit as one left join alert_level_said using (unit)
where $1::text[] is null or unit = any ($1)
order by unit, engine)
union all
select unit, home, null, 0, 0, 1000, null, 0, 0, 'low', 'coverage_unknown', null, null, null, 0, null, '[]', '[]', null,
    told, told_at, alert, override_level, override_until
from alert_level_said as said
where ($1::text[] is null or unit = any ($1))
    and not exists (select from alert_level_unit as one where one.unit = said.unit)

-- name: page
-- The same, page by page: after the unit $2 (null: from the first), at most $3 of them.
select * from (
    (select distinct on (unit) unit, one.home, one.level, points, peace_offset, window_permille, straight_to,
        open_cases, outcomes_asked, confidence, confidence_reason, last_known, cause, effective_at, changes, rules_hash,
        contributions, peace, engine, told, told_at, alert, override_level, override_until
    from alert_level_unit as one left join alert_level_said using (unit)
    where ($1::text[] is null or unit = any ($1)) and ($2::text is null or unit > $2)
    order by unit, engine
    limit $3)
    union all
    (select unit, home, null, 0, 0, 1000, null, 0, 0, 'low', 'coverage_unknown', null, null, null, 0, null, '[]', '[]',
        null, told, told_at, alert, override_level, override_until
    from alert_level_said as said
    where ($1::text[] is null or unit = any ($1)) and ($2::text is null or unit > $2)
        and not exists (select from alert_level_unit as one where one.unit = said.unit)
    order by unit
    limit $3)
) as one
order by unit
limit $3

-- name: told
-- Units of which strangers were told an alert that stands, all or those of $1 (null: all), after the unit $2 (null: from
-- the first), at most $3 of them: nothing else may be seen of where something was heard.
select unit, told, told_at, alert from alert_level_said
where alert is not null and ($1::text[] is null or unit = any ($1)) and ($2::text is null or unit > $2)
order by unit
limit $3

-- name: history
-- The latest $2 changes of the unit $1 before its change number $3 (null: from the last), as the engine that speaks sees
-- its whole history; what was said in the time of an earlier engine is on the log.
select number, before, after, cause, effective_at, explanation
from alert_level_history as line
where line.unit = $1
    and line.engine = (select min(engine) from alert_level_unit as one where one.unit = $1)
    and ($3::integer is null or line.number < $3)
order by number desc
limit $2

-- name: digest_cases
-- Every case, in the order of the key.
select jsonb_build_array('case', engine, case_id, home, unit, laid_by, body)::text
from alert_level_case order by engine, case_id

-- name: digest_units
-- Every unit, in the order of the key.
select jsonb_build_array(
    'unit', engine, unit, home, level, points, peace_offset, window_permille, straight_to, open_cases, outcomes_asked,
    confidence, confidence_reason, last_known, taken_back, cause, effective_at, changes, rules_hash, contributions, peace
)::text
from alert_level_unit order by engine, unit

-- name: digest_watch
-- Who watches, in the order of the key.
select jsonb_build_array('watch', engine, home, source, body)::text
from alert_level_watch order by engine, home, source

-- name: digest_homes
-- What is due where, in the order of the key. Whether a home in which nothing is due has a row says only how often was
-- written.
select jsonb_build_array('home', engine, home, due)::text from alert_level_home
where due is not null order by engine, home

-- name: digest_said
-- What the log was told, in the order of the key.
select jsonb_build_array(
    'said', unit, home, level, levels, alerts, alert, told, told_at, override_level, override_held, override_until
)::text
from alert_level_said order by unit

-- name: digest_history
-- Every change, in the order of the key.
select jsonb_build_array('history', engine, unit, number, home, before, after, cause, effective_at, explanation)::text
from alert_level_history order by engine, unit, number
