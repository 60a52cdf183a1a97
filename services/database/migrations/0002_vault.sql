-- The vault: keys, the people behind random ids, and what links them. Only the role intabaza_vault comes in, and it can
-- read and add, not change or take away: destruction goes through the functions below, which keep the order of locks.
--
-- Order of locks, the same everywhere: append lock (ledger.hold), then persons, then keys. An append holds the append
-- lock and share-locks the keys it names, so a destruction comes before it (the append is refused) or after it.

set local role intabaza_owner;
revoke all on schema vault from public;
grant usage on schema vault to intabaza_vault;

-- A person is a random id. What is left after erasure is the id and when: nothing finds it any more.
create table vault.person (
    person_id uuid primary key default gen_random_uuid(),
    phone_mac bytea unique,
    made_at   timestamptz not null default clock_timestamp(),
    erased_at timestamptz,
    check (octet_length(phone_mac) = 32),
    check (erased_at is null or phone_mac is null)
);

-- One key a report, one a case, one a person and stream. `wrapped` is the data key under the master key of version
-- `wrap_version`; a destroyed key keeps its row for ever, so that it can never be made again under the same subject.
create table vault.key (
    key_id       uuid primary key,
    kind         text not null check (kind in ('report', 'case', 'person')),
    subject      text not null,
    person_id    uuid references vault.person,
    wrapped      bytea,
    wrap_version smallint not null,
    made_at      timestamptz not null default clock_timestamp(),
    destroyed_at timestamptz,
    unique (kind, subject),
    check ((kind = 'person') = (person_id is not null)),
    check ((wrapped is null) = (destroyed_at is not null))
);
create index key_by_person on vault.key (person_id) where person_id is not null;

-- Which people a report's (or case's) text speaks of: erasing one of them destroys the key.
create table vault.speaks_of (
    key_id    uuid not null references vault.key,
    person_id uuid not null references vault.person,
    primary key (person_id, key_id)
);

-- Whose report it is: answers "their own report" and "same source".
create table vault.report_source (
    report_id uuid primary key,
    person_id uuid not null references vault.person
);
create index report_source_by_person on vault.report_source (person_id);

-- A person's name in events about one case or report. Drawn, not computed: once the row is gone nothing recomputes it.
create table vault.pseudonym (
    person_id uuid not null references vault.person,
    about     uuid not null,
    ref       uuid not null unique default gen_random_uuid(),
    primary key (person_id, about)
);

-- A reporter's stream in each home, under ids that do not match.
create table vault.reporter (
    person_id   uuid not null references vault.person,
    home        text not null,
    reporter_id uuid not null unique default gen_random_uuid(),
    primary key (person_id, home)
);

-- Share-locks these persons, making rows for ids it sees for the first time, and returns those who are not erased.
create function vault.hold_persons(wanted uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into vault.person (person_id)
        select distinct p from unnest(wanted) as p
        where not exists (select from vault.person where person_id = p) order by p
        on conflict do nothing;
    return query
        select person_id from vault.person
        where person_id = any (wanted) and erased_at is null order by person_id for share;
end $$;

-- Makes the keys that are missing and reads all of them back, in one transaction that its caller's commit syncs.
-- Arrays run side by side; `spoken_key[i]` (an index into them, from 1) speaks of `spoken_person[i]`. A key of an erased
-- person, or that speaks of one, comes back with nothing in `wrapped`, like a destroyed one.
-- A function, because each of its statements sees what others committed before it: in one statement the read-back
-- would miss the key that won the race.
create function vault.make_keys(
    kinds text[], subjects text[], persons uuid[], key_ids uuid[], wraps bytea[], version smallint,
    spoken_key int[], spoken_person uuid[]
) returns table (place int, key_id uuid, wrapped bytea, wrap_version smallint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    living uuid[];
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'keys are made under READ COMMITTED: an older snapshot would miss a key made by another';
    end if;
    -- Whatever the session says: a key is on disk before what it seals.
    if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
        perform set_config('synchronous_commit', 'on', true);
    end if;
    if cardinality(spoken_key) > 0 or exists (
        select from unnest(kinds, subjects) as w (kind, subject)
        where not exists (select from vault.key k where k.kind = w.kind and k.subject = w.subject)
    ) then
        living := array (select vault.hold_persons(array_remove(persons, null) || spoken_person));
        insert into vault.key (key_id, kind, subject, person_id, wrapped, wrap_version)
            select w.key_id, w.kind, w.subject, w.person, w.wrapped, version
            from unnest(kinds, subjects, persons, key_ids, wraps) with ordinality
                as w (kind, subject, person, key_id, wrapped, place)
            where (w.person is null or w.person = any (living))
              and not exists (
                select from unnest(spoken_key, spoken_person) as s (place, person)
                where s.place = w.place and s.person <> all (living))
            order by w.kind, w.subject
            on conflict (kind, subject) do nothing;
        insert into vault.speaks_of (key_id, person_id)
            select k.key_id, s.person
            from unnest(spoken_key, spoken_person) as s (place, person)
            join vault.key k on k.kind = kinds[s.place] and k.subject = subjects[s.place]
            where s.person = any (living)
            order by s.person, k.key_id
            on conflict do nothing;
    end if;
    return query
        select w.place::int, k.key_id,
               case when exists (
                   select from unnest(spoken_key, spoken_person) as s (place, person)
                   where s.place = w.place and s.person <> all (living)) then null else k.wrapped end,
               k.wrap_version
        from unnest(kinds, subjects) with ordinality as w (kind, subject, place)
        join vault.key k on k.kind = w.kind and k.subject = w.subject;
end $$;

-- Wipes keys, for ever. In the caller's transaction, so that the event that says so can be appended in the same one.
create function vault.destroy_keys(doomed uuid[]) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'keys are destroyed under READ COMMITTED: an older snapshot would miss an append before it';
    end if;
    perform ledger.hold();
    return query
        update vault.key k set wrapped = null, destroyed_at = clock_timestamp()
        where k.key_id in (
            select d.key_id from vault.key d
            where d.key_id = any (doomed) and d.destroyed_at is null order by d.key_id for update)
        returning k.key_id;
end $$;

-- Erases a person: their keys, the keys of texts that speak of them, their phone and every link to them.
-- The update locks the person before it looks for keys, so that a key being made for them is either found or refused.
create function vault.erase_person(doomed uuid) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a person is erased under READ COMMITTED: an older snapshot would miss a key made before it';
    end if;
    perform ledger.hold();
    insert into vault.person (person_id) values (doomed) on conflict do nothing;
    update vault.person set phone_mac = null, erased_at = coalesce(erased_at, clock_timestamp())
        where person_id = doomed;
    return query
        select vault.destroy_keys(array (
            select key_id from vault.key where person_id = doomed
            union
            select key_id from vault.speaks_of where person_id = doomed));
    delete from vault.speaks_of where person_id = doomed;
    delete from vault.report_source where person_id = doomed;
    delete from vault.pseudonym where person_id = doomed;
    delete from vault.reporter where person_id = doomed;
end $$;

revoke all on all functions in schema vault from public;
grant execute on all functions in schema vault to intabaza_vault;
grant select on all tables in schema vault to intabaza_vault;
grant insert on vault.person, vault.report_source, vault.pseudonym, vault.reporter to intabaza_vault;
reset role;
