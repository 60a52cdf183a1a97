-- Whoever was told of a unit is told when that is taken back, also where their filters passed by what came in between.

set local role intabaza_owner;

-- Whether anything was delivered to a subscriber of what was told of a unit since the alert that began it, which names
-- none before it, and before a position.
create function notifier.told_since_it_began(subscriber uuid, of_unit text, before_position bigint) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from ledger.event e
        join notifier.delivery d on d.event_id = e.event_id and d.subscriber_id = subscriber
        where e.stream = of_unit and e.type = 'alert.issued' and e.position < before_position
            and d.delivered_at is not null
            and e.position >= (
                select max(b.position) from ledger.event b
                where b.stream = of_unit and b.type = 'alert.issued' and b.position < before_position
                    and position('"updates":'::bytea in b.body) = 0 and position('"cancels":'::bytea in b.body) = 0)
    )
$$;

revoke all on function notifier.told_since_it_began from public;
grant execute on function notifier.told_since_it_began to intabaza_notifier;
