-- name: tables
-- The tables of a place, whether each has a unit, and whether it is guarded already.
select c.relname as name, c.relrowsecurity as guarded,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'unit' and a.attnum > 0) as has_unit
from pg_class c
where c.relnamespace = to_regnamespace($1) and c.relkind = 'r'
order by c.relname
