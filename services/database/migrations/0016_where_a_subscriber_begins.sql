-- A new subscriber stands at the last alert, and not at the end of the ledger: that would tell whoever subscribes how much
-- is written in between.

set local role intabaza_owner;

create or replace function notifier.add(
    id uuid, address text, filter_units text[], filter_level integer, filter_changes text[], filter_modes text[],
    owner uuid, from_position bigint, secret uuid, sealed_secret bytea, sealed_by smallint
) returns uuid language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    last bigint := coalesce(
        (select e.position from ledger.event e where e.type = 'alert.issued' order by e.position desc limit 1), 0);
begin
    insert into notifier.subscriber
        (subscriber_id, url, units, minimum_level, changes, modes, created_by, position)
        values (id, address, filter_units, filter_level, filter_changes, filter_modes, owner,
            least(coalesce(from_position - 1, last), last))
        on conflict do nothing;
    if not found then
        return (select s.subscriber_id from notifier.subscriber s
            where s.url = address and s.created_by is not distinct from owner);
    end if;
    insert into notifier.secret (secret_id, subscriber_id, sealed, wrap_version)
        values (secret, id, sealed_secret, sealed_by);
    perform pg_notify('notifier', '');
    return id;
end
$$;
reset role;
