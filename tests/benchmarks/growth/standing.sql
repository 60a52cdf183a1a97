-- name: standing
-- How far the ledger, the relay and the projection that is furthest behind are; the latter two in records.
select
    coalesce((select position from ledger.event order by position desc limit 1), 0) as head,
    (select acknowledged from relay.progress) as acknowledged,
    coalesce((select sum(next_offset) from relay.partition where topic = 'events.v1'), 0)::bigint as sent,
    coalesce((
        select min(done) from (
            select sum(next_offset) as done from projections.watermark where place = any ($1) group by place
        ) as places
    ), 0)::bigint as folded

-- name: sessions
-- Whose CPU each process of the server uses.
select pid, backend_type, application_name, client_port from pg_stat_activity where pid <> pg_backend_pid()

-- name: log_written
-- What went into the write-ahead log, and how many whole pages of it: the first change of each after a checkpoint.
select wal_bytes::float8 as bytes, wal_fpi::float8 as pages from pg_stat_wal

-- name: bytes
-- What stands where, with indices.
select n.nspname as place, sum(pg_total_relation_size(c.oid))::bigint as bytes
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema'
group by n.nspname

-- name: some_case
-- A case that the ledger was told of near a position.
select stream from ledger.event
where position >= $1 and type = 'case.opened' order by position limit 1

-- name: reports_known
-- How many reports the vault knows.
select count(*) from vault.report_source

-- name: fill_the_vault
-- What $1 reports and their cases leave in the vault: keys, whose they are, pseudonyms. Random ids, nobody's.
with person as (
    insert into vault.person (phone_mac)
    select sha256(gen_random_uuid()::text::bytea) from generate_series(1, 1 + $1 / 20) returning person_id
), named as (
    select array_agg(person_id) as ids from person
), life as (
    select gen_random_uuid() as report_id, gen_random_uuid() as case_id, ids[1 + n % cardinality(ids)] as person_id
    from named cross join generate_series(1, $1) as n
), source as (
    insert into vault.report_source (report_id, person_id) select report_id, person_id from life
), pseudonym as (
    insert into vault.pseudonym (person_id, about)
    select person_id, report_id from life union all select person_id, case_id from life
), keys as (
    insert into vault.key (key_id, kind, subject, person_id, wrapped, wrap_version)
    select gen_random_uuid(), kind, subject, whose, sha256(subject::bytea) || sha256(subject::bytea), 1
    from life cross join lateral (values
        ('report', 'report/' || report_id, null::uuid),
        ('case', 'case/' || case_id, null),
        ('person', person_id || ' report/' || report_id, person_id),
        ('person', person_id || ' case/' || case_id, person_id)
    ) as key (kind, subject, whose)
    returning 1
)
select count(*) from keys
