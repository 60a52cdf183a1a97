-- What a report needs of the vault before it is appended, in one round trip; and keys that are not synced by themselves.
--
-- A key is named by an append only, in the same write-ahead log and after it: whenever the append is on the disk, the key
-- is, and whenever the key is lost, so is all that names it. That holds for links since 0007. An append share-locks the
-- keys it names and refuses one that is not there, so a process that remembers a key which a crash took gets a refusal.

set local role intabaza_owner;


-- As in 0002, but that its commit is not synced.
create or replace function vault.make_keys(
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
    if cardinality(spoken_key) > 0 or exists (
        select from unnest(kinds, subjects) as w (kind, subject)
        where not exists (select from vault.key k where k.kind = w.kind and k.subject = w.subject)
    ) then
        perform set_config('synchronous_commit', 'off', true);
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


-- A report's writers under the pseudonyms given for them, its source, its keys; whatever is there already stays and is
-- read back. `refs[i]` is for `writers[i]` about `abouts[i]`. Persons are locked before keys, as everywhere.
create function vault.admit(
    writers uuid[], abouts uuid[], refs uuid[], report_ids uuid[], sources uuid[],
    kinds text[], subjects text[], owners uuid[], key_ids uuid[], wraps bytea[], version smallint,
    spoken_key int[], spoken_person uuid[]
) returns table (what text, place int, id uuid, wrapped bytea, wrap_version smallint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    living uuid[] := array (
        select vault.hold_persons(writers || sources || array_remove(owners, null) || spoken_person));
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into vault.pseudonym (person_id, about, ref)
        select w.person, w.about, w.ref from unnest(writers, abouts, refs) as w (person, about, ref)
        where w.person = any (living)
        order by 1, 2 on conflict (person_id, about) do nothing;
    insert into vault.report_source (report_id, person_id)
        select w.report, w.person from unnest(report_ids, sources) as w (report, person)
        where w.person = any (living)
        order by 1 on conflict (report_id) do nothing;
    return query
        select 'key', k.place, k.key_id, k.wrapped, k.wrap_version
        from vault.make_keys(
            kinds, subjects, owners, key_ids, wraps, version, spoken_key, spoken_person) as k;
    return query
        select 'writer', w.place::int, p.ref, null::bytea, null::smallint
        from unnest(writers, abouts) with ordinality as w (person, about, place)
        join vault.pseudonym p on p.person_id = w.person and p.about = w.about;
    return query
        select 'source', w.place::int, s.person_id, null::bytea, null::smallint
        from unnest(report_ids) with ordinality as w (report, place)
        join vault.report_source s on s.report_id = w.report;
end $$;

revoke all on function vault.admit from public;
grant execute on function vault.admit to intabaza_vault;
reset role;
