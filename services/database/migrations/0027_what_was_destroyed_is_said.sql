-- That keys were destroyed is on the log, in the transaction that destroys them: a vault that is put back from a backup is
-- told so again. The vault's role may say this and append nothing else.

set local role intabaza_owner;

create function vault.say_destroyed(
    witness timestamptz, splicing smallint, command_id uuid, mac bytea, stream text, home text, event_id uuid, body bytea
) returns table (outcome text, detail text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if stream not like 'custody/%' then
        raise exception 'the vault says what was destroyed, in a stream of custody, and nothing else';
    end if;
    return query
        select a.outcome, a.detail from ledger.append(
            witness, splicing, array[command_id], array[mac], '{}', '{}', array[1], array[stream], array[0::bigint],
            array[home], array[1], array[event_id], array['custody.subject_key_destroyed'], array[body]) as a;
end $$;

revoke all on function vault.say_destroyed from public;
grant execute on function vault.say_destroyed to intabaza_vault;
reset role;
