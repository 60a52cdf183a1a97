-- A person whose phone is new is drawn by whoever decides about them, and comes into the vault when it has been decided.

set local role intabaza_owner;


-- Under the id that was drawn, unless somebody was faster: who bears the phone is told either way. Not synced by itself,
-- as in 0007.
create function vault.introduce(phone bytea, drawn uuid) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('synchronous_commit', 'off', true);
    insert into vault.person (person_id, phone_mac) values (drawn, phone) on conflict (phone_mac) do nothing;
    return (select p.person_id from vault.person p where p.phone_mac = phone);
end $$;

revoke all on function vault.introduce from public;
grant execute on function vault.introduce to intabaza_vault;
reset role;
