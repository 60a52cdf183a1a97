-- A person is erased once, whoever asks and however often: whether they are already is asked under the append lock, so two
-- who ask at one moment say it once. And whoever said on the log that something was destroyed is told where that stands.

set local role intabaza_owner;

create function vault.begin_erasure(doomed uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a person is erased under READ COMMITTED: an older snapshot would not see that they are';
    end if;
    perform ledger.hold();
    return exists (select from vault.person p where p.person_id = doomed and p.erased_at is not null);
end $$;

drop function vault.say_destroyed(timestamptz, smallint, uuid, bytea, text, text, uuid, bytea);

create function vault.say_destroyed(
    witness timestamptz, splicing smallint, command_id uuid, mac bytea, stream text, home text, event_id uuid, body bytea
) returns table (outcome text, detail text, "position" bigint, recorded_at timestamptz)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if stream not like 'custody/%' then
        raise exception 'the vault says what was destroyed, in a stream of custody, and nothing else';
    end if;
    return query
        select a.outcome, a.detail, a.first_position, a.stamp from ledger.append(
            witness, splicing, array[command_id], array[mac], '{}', '{}', array[1], array[stream], array[0::bigint],
            array[home], array[1], array[event_id], array['custody.subject_key_destroyed'], array[body]) as a;
end $$;

revoke all on function vault.begin_erasure, vault.say_destroyed from public;
grant execute on function vault.begin_erasure, vault.say_destroyed to intabaza_vault;
reset role;
