-- Rows that another release wrote in another form were read as if they were of this one, and processors fell over them.

set local role intabaza_owner;

-- The form in which a place's tables and bodies were written: 1 for all that was there before forms were counted.
alter table projections.watermark add column form integer not null default 1;
