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
