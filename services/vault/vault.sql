-- name: make_keys
-- One round trip and one commit for all the keys that a moment's sealings need.
select place, key_id, wrapped, wrap_version from vault.make_keys($1, $2, $3, $4, $5, $6, $7, $8)

-- name: admit
-- One round trip for everything that the reports of a moment need before they are appended.
select what, place, id, wrapped, wrap_version from vault.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

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

-- name: find_source
-- For "their own report" and "same source"; a report whose source was erased has no row.
select report_id, person_id from vault.report_source where report_id = any ($1::uuid[])

-- name: find_spoken_of
-- A report received again elsewhere speaks of whom it spoke of. Rows go with the person's erasure.
select k.subject, s.person_id
from vault.key k join vault.speaks_of s using (key_id)
where k.kind = 'report' and k.subject = any ($1::text[])

-- name: callers
-- Who calls from these phones; a phone that is new makes a person.
select phone_mac, person_id from vault.callers($1)

-- name: introduce
-- Once it is decided that there is anything to remember of them; under the drawn id, unless somebody was faster.
select vault.introduce($1, $2)

-- name: find_reporter
-- Nothing is drawn for who is only asked about.
select reporter_id from vault.reporter where person_id = $1 and home = $2

-- name: sources
-- Whose each report is from now on, or was before.
select report_id, person_id from vault.sources($1, $2)

-- name: pseudonyms
-- Drawn by the database, so that nothing can recompute one once its row is gone.
select person_id, about, ref from vault.pseudonyms($1, $2)

-- name: reporters
-- Drawn anew in each home, so that two homes' streams do not match.
select person_id, home, reporter_id from vault.reporters($1, $2)

-- name: use_up
-- All of them or none: one that was used before is there already.
insert into vault.used_approval (approval_id) select unnest($1::uuid[])

-- name: seated
-- Who may vote.
select person_id from vault.seated

-- name: seat
-- Takes a seat in the committee for somebody, or gives it back; whether that changed anything.
select vault.seat($1, $2)

-- name: known
-- Also where they were erased since.
select exists (select from vault.person where person_id = $1)

-- name: reporter_streams
-- A sign of life is one in every home where its giver covers places.
select home, reporter_id from vault.reporter where person_id = $1

-- name: hold_signs
-- Synced: who is told that it is held may forget it.
select outcome, taken_on from vault.hold_signs($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: sign_taken
-- A repeat is answered as the first time, whatever would refuse it by now.
select outcome, taken_on from vault.sign_taken($1, $2)

-- name: gather_signs
-- Once a day, and again until they are on the log.
select today, gathered, batch_id, reporter_id, person_id, key_id, day, channel, said, taken_on
from vault.gather_signs($1, $2, $3)

-- name: let_signs_go
-- After the append, so that a crash in between leaves them to be offered again.
select vault.let_signs_go($1)

-- name: overdue_signs
-- For who watches, and so nothing of a day that runs: a count that rises with each check-in would tell its moment.
select count(*) as signs, coalesce(max(extract(epoch from now.moment - ends.day_over)), 0)::float as seconds
from (values (coalesce($1::timestamptz, clock_timestamp()))) as now (moment)
join vault.held_sign h on vault.sign_due(h.day, h.taken_on) <= (now.moment at time zone $2)::date
cross join lateral (select vault.sign_due(h.day, h.taken_on)::timestamp at time zone $2 as day_over) as ends

-- name: reporters_in
-- For who looks after them: whose streams are silent is asked of the ledger.
select person_id, reporter_id from vault.reporter where $1::text[] is null or home = any ($1)

-- name: reports_of
-- A report is a sign of its reporter here and nowhere else.
select person_id, report_id from vault.report_source where person_id = any ($1::uuid[])

-- name: last_held
-- Whoever checked in before today is not silent, though no log may have it yet.
select reporter_id, max(day) as day from vault.held_sign
where reporter_id = any ($1::uuid[]) and taken_on < $2
group by reporter_id

-- name: begin_erasure
-- Nothing is appended from here on; whether they were erased already, who are then not erased again on the log.
select vault.begin_erasure($1)

-- name: say_destroyed
-- In the transaction that destroys.
select outcome, detail, position, recorded_at from vault.say_destroyed($1, $2, $3, $4, $5, $6, $7, $8)
