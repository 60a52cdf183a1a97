-- Links between persons and records in one round trip: what is missing is added and everything is read back, by
-- functions, because each statement of theirs sees what others committed before it. Their commits are not synced by
-- themselves: the append that names a person follows in the same write-ahead log, and its own sync takes this along;
-- without an append nothing names them. Nothing is added for an erased person: `hold_persons` returns the living.

set local role intabaza_owner;


create function vault.sources(report_ids uuid[], persons uuid[]) returns table (report_id uuid, person_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if exists (
        select from unnest(report_ids) as w (report_id)
        where not exists (select from vault.report_source s where s.report_id = w.report_id)
    ) then
        perform set_config('synchronous_commit', 'off', true);
        insert into vault.report_source (report_id, person_id)
            select link.report_id, living from vault.hold_persons(persons) as living
            join unnest(report_ids, persons) as link (report_id, person_id) on link.person_id = living
            order by 1 on conflict (report_id) do nothing;
    end if;
    return query select s.report_id, s.person_id from vault.report_source s where s.report_id = any (report_ids);
end $$;

create function vault.pseudonyms(persons uuid[], abouts uuid[])
returns table (person_id uuid, about uuid, ref uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if exists (
        select from unnest(persons, abouts) as w (person_id, about)
        where not exists (select from vault.pseudonym p where p.person_id = w.person_id and p.about = w.about)
    ) then
        perform set_config('synchronous_commit', 'off', true);
        insert into vault.pseudonym (person_id, about)
            select living, link.about from vault.hold_persons(persons) as living
            join unnest(persons, abouts) as link (person_id, about) on link.person_id = living
            order by 1, 2 on conflict (person_id, about) do nothing;
    end if;
    return query
        select p.person_id, p.about, p.ref
        from unnest(persons, abouts) as w (person_id, about) join vault.pseudonym p using (person_id, about);
end $$;

create function vault.reporters(persons uuid[], homes text[])
returns table (person_id uuid, home text, reporter_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if exists (
        select from unnest(persons, homes) as w (person_id, home)
        where not exists (select from vault.reporter r where r.person_id = w.person_id and r.home = w.home)
    ) then
        perform set_config('synchronous_commit', 'off', true);
        insert into vault.reporter (person_id, home)
            select living, link.home from vault.hold_persons(persons) as living
            join unnest(persons, homes) as link (person_id, home) on link.person_id = living
            order by 1, 2 on conflict (person_id, home) do nothing;
    end if;
    return query
        select r.person_id, r.home, r.reporter_id
        from unnest(persons, homes) as w (person_id, home) join vault.reporter r using (person_id, home);
end $$;

-- Two first calls of one phone at once make one person: the second reads the first's row.
create function vault.callers(phones bytea[]) returns table (phone_mac bytea, person_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    if exists (
        select from unnest(phones) as w (phone_mac)
        where not exists (select from vault.person p where p.phone_mac = w.phone_mac)
    ) then
        perform set_config('synchronous_commit', 'off', true);
        insert into vault.person (phone_mac) select mac from unnest(phones) as mac order by 1
            on conflict (phone_mac) do nothing;
    end if;
    return query select p.phone_mac, p.person_id from vault.person p where p.phone_mac = any (phones);
end $$;

revoke all on function vault.sources, vault.pseudonyms, vault.reporters, vault.callers from public;
grant execute on function vault.sources, vault.pseudonyms, vault.reporters, vault.callers to intabaza_vault;
revoke insert on vault.person, vault.report_source, vault.pseudonym, vault.reporter from intabaza_vault;
reset role;
