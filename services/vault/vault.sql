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
select person_id from vault.person where phone_mac = $1

-- name: add_person
-- Two first calls of one phone at once make one person: the second reads the first's row.
insert into vault.person (phone_mac) values ($1) on conflict (phone_mac) do nothing

-- name: add_source
-- Nothing is added for an erased person: `hold_persons` returns the living.
insert into vault.report_source (report_id, person_id)
select $1, living from vault.hold_persons(array[$2::uuid]) as living
on conflict (report_id) do nothing

-- name: find_sources
-- For "their own report" and "same source"; a report whose source was erased has no row.
select report_id, person_id from vault.report_source where report_id = any ($1::uuid[])

-- name: find_pseudonym
-- Most acts are by somebody who acted in this case before, and need no write.
select ref from vault.pseudonym where person_id = $1 and about = $2

-- name: add_pseudonym
-- Drawn by the database, so that nothing can recompute it once the row is gone.
insert into vault.pseudonym (person_id, about)
select living, $2 from vault.hold_persons(array[$1::uuid]) as living
on conflict (person_id, about) do nothing

-- name: find_reporter
-- A reporter's stream in one home.
select reporter_id from vault.reporter where person_id = $1 and home = $2

-- name: add_reporter
-- Drawn anew in each home, so that two homes' streams do not match.
insert into vault.reporter (person_id, home)
select living, $2 from vault.hold_persons(array[$1::uuid]) as living
on conflict (person_id, home) do nothing
