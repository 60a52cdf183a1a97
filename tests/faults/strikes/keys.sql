-- name: newest
-- Keys of texts that were just sealed; more is often sealed under them.
select key_id from vault.key where wrapped is not null order by made_at desc limit $1

-- name: sources
-- Whose reports came last, but for those who work here.
select distinct person_id from (
    select s.person_id from vault.report_source s
    join vault.key k on k.kind = 'report' and k.subject = s.report_id::text
    where s.person_id <> all ($1::uuid[]) order by k.made_at desc limit 50
) as newest order by person_id

-- name: kept
-- Keys that were to be destroyed and still open something.
select key_id from vault.key where key_id = any ($1::uuid[]) and wrapped is not null

-- name: of_signs
-- Whose signs of life are sealed under some of these keys.
select distinct person_id from vault.key
where key_id = any ($1::uuid[]) and kind = 'person' and subject like '%/reporter/%'

-- name: later
-- What was recorded after a position.
select position, body from ledger.event where position > $1 order by position
