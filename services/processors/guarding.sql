-- name: tables
-- The tables of a place, whether each has a unit, and whether it is guarded already.
select c.relname as name, c.relrowsecurity as guarded,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'unit' and a.attnum > 0) as has_unit
from pg_class c
where c.relnamespace = to_regnamespace($1) and c.relkind = 'r'
order by c.relname

-- name: unit
-- Rows of the units that the reading transaction sees; all of them for '*', none where it did not say.
(select current_setting('intabaza.units', true)) = '*'
or unit in (select unnest(string_to_array(current_setting('intabaza.units', true), ',')) collate "C")

-- name: recipient
-- The same, and a recipient's own.
(select current_setting('intabaza.units', true)) = '*'
or unit in (select unnest(string_to_array(current_setting('intabaza.units', true), ',')) collate "C")
or recipient = (select nullif(current_setting('intabaza.recipient', true), '') collate "C")

-- name: body
-- The unit stands in the state.
(select current_setting('intabaza.units', true)) = '*'
or body ->> 'unit' in (select unnest(string_to_array(current_setting('intabaza.units', true), ',')))

-- name: event
-- A timeline's row has no place of its own, since it is what was written: the ledger knows its home. What a report was
-- received as before may lie in another home, and belongs to it.
(select current_setting('intabaza.units', true)) = '*'
or (select home from ledger.event where event.position = case_timeline_event.position)
    in (select unnest(string_to_array(current_setting('intabaza.homes', true), ',')))
or exists (
    select from case_timeline_link as tie where tie.other = case_timeline_event.stream and tie.kind = 'earlier')

-- name: link
-- A tie is where the event that made it is.
(select current_setting('intabaza.units', true)) = '*'
or (select home from ledger.event where event.position = case_timeline_link.position)
    in (select unnest(string_to_array(current_setting('intabaza.homes', true), ',')))

-- name: seeing
-- Which reports stand no more: nothing but their ids, for whoever sees any unit.
(select current_setting('intabaza.units', true)) <> ''
