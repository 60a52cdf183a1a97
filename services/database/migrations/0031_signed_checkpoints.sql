-- Signed checkpoints of the log: who leads signs, and appends what was signed as an event. The notary's role reads the
-- ledger, keeps the tree, and may append checkpoints and nothing else. Keys are in no database: whoever is its superuser
-- can sign nothing.

set local role intabaza_owner;

create table notary.standing (
    singleton boolean primary key default true check (singleton),
    halted_because text
);
insert into notary.standing default values;

-- The lead, as the relay's (0004).
create function notary.leads() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and pid = pg_backend_pid() and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32 | objid::bigint) = 7310394218800031
    )
$$;

create function notary.try_to_lead() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select notary.leads() or pg_try_advisory_lock(7310394218800031)
$$;

create function notary.refuse_who_does_not_lead() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notary.leads() then
        raise exception 'only the leading notary signs: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
end
$$;

create function notary.record(
    witness timestamptz, splicing smallint, command_id uuid, mac bytea, expected bigint, home text, event_id uuid, body bytea
) returns table (outcome text, detail text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform notary.refuse_who_does_not_lead();
    -- The lead's session does not wait for the disk; what is in the ledger must, before anybody can see it on Kafka.
    perform set_config('synchronous_commit', 'on', true);
    return query
        select a.outcome, a.detail from ledger.append(
            witness, splicing, array[command_id], array[mac], '{}', '{}', array[1], array['custody/log'],
            array[expected], array[home], array[1], array[event_id], array['custody.log_checkpointed'],
            array[body]) as a;
end
$$;

-- The tree is made again from the ledger: nothing of it is needed for that.
create function notary.begin_anew() returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform notary.refuse_who_does_not_lead();
    delete from notary.tile;
    update notary.tree set size = 0;
end
$$;

create function notary.note_halt(because text) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform notary.refuse_who_does_not_lead();
    update notary.standing set halted_because = because where halted_because is distinct from because;
end
$$;

revoke all on all functions in schema notary from public;
grant execute on function notary.leads, notary.try_to_lead, notary.record, notary.begin_anew, notary.note_halt
    to intabaza_notary;
grant select on notary.standing to intabaza_notary, intabaza_app, intabaza_reader;
grant usage on schema ledger, relay to intabaza_notary;
grant select on ledger.event, ledger.state to intabaza_notary;
grant execute on function relay.acknowledged to intabaza_notary;
reset role;
