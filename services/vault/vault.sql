-- name: make_keys
-- One round trip and one commit for all the keys that a moment's sealings need.
select place, key_id, wrapped, wrap_version from vault.make_keys($1, $2, $3, $4, $5, $6, $7, $8)

-- name: read_keys
-- Read at each opening, so that a destroyed key opens nothing from that moment on.
select key_id, kind, subject, wrapped, wrap_version from vault.key where key_id = any ($1::uuid[])

-- name: destroy_keys
-- Comes before or after an append under these keys, never into the middle of one.
select vault.destroy_keys($1) as key_id

-- name: erase_person
-- Destroys every key that is this person's or speaks of them, and every link to them.
select vault.erase_person($1) as key_id

-- name: find_person
-- The number itself is nowhere; its HMAC goes with the person.
select phone_mac, person_id from vault.person where phone_mac = any ($1::bytea[])

-- name: add_person
-- Two first calls of one phone at once make one person: the second reads the first's row.
-- Not synced by itself, like the other links below: the append that names the person follows in the same write-ahead
-- log, and its own sync takes this along. Without an append nothing names them.
insert into vault.person (phone_mac)
select mac from (select set_config('synchronous_commit', 'off', true)) as unhurried, unnest($1::bytea[]) as mac order by 1
on conflict (phone_mac) do nothing

-- name: find_source
-- For "their own report" and "same source"; a report whose source was erased has no row.
select report_id, person_id from vault.report_source where report_id = any ($1::uuid[])

-- name: find_spoken_of
-- A report received again elsewhere speaks of whom it spoke of. Rows go with the person's erasure.
select k.subject, s.person_id
from vault.key k join vault.speaks_of s using (key_id)
where k.kind = 'report' and k.subject = any ($1::text[])

-- name: add_source
-- Nothing is added for an erased person: `hold_persons` returns the living.
insert into vault.report_source (report_id, person_id)
select link.report_id, living
from (select set_config('synchronous_commit', 'off', true)) as unhurried, vault.hold_persons($2::uuid[]) as living
join unnest($1::uuid[], $2::uuid[]) as link (report_id, person_id) on link.person_id = living
order by 1
on conflict (report_id) do nothing

-- name: find_pseudonym
-- Most acts are by somebody who acted in this case before, and need no write.
select p.person_id, p.about, p.ref
from unnest($1::uuid[], $2::uuid[]) as wanted (person_id, about) join vault.pseudonym p using (person_id, about)

-- name: add_pseudonym
-- Drawn by the database, so that nothing can recompute it once the row is gone.
insert into vault.pseudonym (person_id, about)
select living, link.about
from (select set_config('synchronous_commit', 'off', true)) as unhurried, vault.hold_persons($1::uuid[]) as living
join unnest($1::uuid[], $2::uuid[]) as link (person_id, about) on link.person_id = living
order by 1, 2
on conflict (person_id, about) do nothing

-- name: find_reporter
-- A reporter's stream in one home.
select r.person_id, r.home, r.reporter_id
from unnest($1::uuid[], $2::text[]) as wanted (person_id, home) join vault.reporter r using (person_id, home)

-- name: add_reporter
-- Drawn anew in each home, so that two homes' streams do not match.
insert into vault.reporter (person_id, home)
select living, link.home
from (select set_config('synchronous_commit', 'off', true)) as unhurried, vault.hold_persons($1::uuid[]) as living
join unnest($1::uuid[], $2::text[]) as link (person_id, home) on link.person_id = living
order by 1, 2
on conflict (person_id, home) do nothing
