-- Who may vote, as persons: the log knows them under another pseudonym in each case, so only the vault can say.

set local role intabaza_owner;

create table vault.committee (
    person_id uuid primary key references vault.person,
    since timestamptz not null default clock_timestamp()
);

-- Takes a seat for somebody, or gives it back; who was erased has none. Says whether that changed anything.
create function vault.seat(member uuid, sits boolean) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not sits then
        delete from vault.committee where person_id = member;
        return found;
    end if;
    insert into vault.person (person_id) values (member) on conflict do nothing;
    insert into vault.committee (person_id)
        select p.person_id from vault.person p where p.person_id = member and p.erased_at is null
        on conflict do nothing;
    return found;
end $$;

create view vault.seated as
    select c.person_id from vault.committee c join vault.person p using (person_id) where p.erased_at is null;

revoke all on function vault.seat from public;
grant execute on function vault.seat to intabaza_vault;
grant select on vault.seated to intabaza_vault;
reset role;
