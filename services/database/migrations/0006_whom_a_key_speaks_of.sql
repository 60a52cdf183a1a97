-- Of whom a report's key speaks, found by the key: a report received again speaks of the same people.
set local role intabaza_owner;
create index speaks_of_by_key on vault.speaks_of (key_id);
reset role;
