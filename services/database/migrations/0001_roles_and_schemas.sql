-- Who may do what, and where things live. Passwords are set where a database is made, never here.

-- Roles belong to the whole cluster, and several databases may migrate at the same moment: whoever loses the race finds
-- the role there, which is all that was wanted. Nothing is altered, because two ALTERs of one role at once fail.
do $$
declare
    wanted record;
begin
    for wanted in
        select *
        from (values
            ('intabaza_owner', 'nologin'),   -- owns every table and function; nobody works as it
            ('intabaza_app', 'login'),       -- the API, the relay, the processors
            ('intabaza_vault', 'login'),     -- keys and persons, and nothing else
            ('intabaza_reader', 'nologin')   -- may read the ledger: auditors, exports
        ) as role (name, may_log_in)
    loop
        if not exists (select from pg_roles where rolname = wanted.name) then
            begin
                execute format(
                    'create role %I %s nosuperuser nocreatedb nocreaterole noreplication nobypassrls',
                    wanted.name, wanted.may_log_in);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;

    -- A migrating role that is no superuser must be able to hand over what it makes.
    if not pg_has_role(current_user, 'intabaza_owner', 'set') then
        begin
            execute format('grant intabaza_owner to %I', current_user);
        exception when unique_violation then
            null;
        end;
    end if;
end
$$;

revoke create on schema public from public;

create schema ledger authorization intabaza_owner;
create schema vault authorization intabaza_owner;
