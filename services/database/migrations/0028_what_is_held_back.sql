-- What each subscriber believes of each unit, and what is held back for them: so that nobody is left with an alert that is
-- over, and that silences and higher alerts hold back no more than they should. And several alerts may be one notice.

-- For the tail of what subscribers may be sent: alerts, and what is announced of silences.
create index event_told on ledger.event (position) where type in ('alert.issued', 'alert.silence_announced');
create index event_silences on ledger.event (position) where type = 'alert.silence_announced';

set local role intabaza_owner;

-- How somebody is told: alerts of a province in one notice, for so long after the first; lower ones not while a higher one
-- of a unit above stands.
alter table notifier.subscriber
    add column by_province boolean not null default false,
    add column wait_seconds smallint not null default 0 check (wait_seconds between 0 and 3600),
    add column inhibits boolean not null default false;

-- What was sent last of a unit, from the first try on: who did not answer that it was taken may have heard or not.
create table notifier.believed (
    subscriber_id uuid not null references notifier.subscriber,
    unit text not null,
    mode text not null,
    position bigint not null,
    level smallint not null,
    stands boolean not null,
    delivered boolean not null,
    primary key (subscriber_id, unit, mode)
);

-- The last alert of a unit that was not sent and is to be, as it then stands.
create table notifier.held (
    subscriber_id uuid not null references notifier.subscriber,
    unit text not null,
    mode text not null,
    position bigint not null,
    primary key (subscriber_id, unit, mode)
);

alter table notifier.believed enable row level security;
alter table notifier.held enable row level security;
create policy all_of_them on notifier.believed for select to intabaza_notifier using (true);
create policy all_of_them on notifier.held for select to intabaza_notifier using (true);
create policy whose on notifier.held for select to intabaza_app
    using (exists (select from notifier.subscriber s where s.subscriber_id = held.subscriber_id));
grant select on notifier.believed, notifier.held to intabaza_notifier;
grant select on notifier.held to intabaza_app;


-- What a subscriber believes from what was sent to it before a position. By which rules an alert stood is not looked at:
-- one that was neither taken back nor went to calm may stand, so its end is told, perhaps once more than needed.
create function notifier.believe_anew(id uuid, before_position bigint) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    delete from notifier.believed b where b.subscriber_id = id;
    insert into notifier.believed (subscriber_id, unit, mode, position, level, stands, delivered)
    select distinct on (told.said -> 'data' ->> 'unit', told.said ->> 'mode')
        id, told.said -> 'data' ->> 'unit', told.said ->> 'mode', told.position, (told.said -> 'data' ->> 'to')::smallint,
        told.said -> 'data' ->> 'change' <> 'cancelled' and told.said -> 'data' ->> 'to' <> '0', told.delivered
    from (
        select d.position, d.delivered_at is not null as delivered, convert_from(e.body, 'UTF8')::jsonb as said
        from notifier.delivery d join ledger.event e on e.event_id = d.event_id
        where d.subscriber_id = id and d.position < before_position and e.type = 'alert.issued'
    ) as told
    order by 2, 3, told.position desc, told.delivered desc;
$$;

select notifier.believe_anew(s.subscriber_id, s.position + 1) from notifier.subscriber s;


-- As in 0014, and what is announced of silences.
create or replace function notifier.alerts(after_position bigint, until_position bigint, most integer) returns table (
    "position" bigint, stream text, version integer, event_id uuid, type text, home text, recorded_at timestamptz,
    command_id uuid, command_mac bytea, body bytea, splice_version smallint
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    from ledger.event
    where type in ('alert.issued', 'alert.silence_announced')
        and position > after_position and position <= until_position
    order by position limit most
$$;

-- The announcements of silences that had begun and not ended at a position.
create function notifier.silences(at_position bigint) returns table (
    "position" bigint, stream text, version integer, event_id uuid, type text, home text, recorded_at timestamptz,
    command_id uuid, command_mac bytea, body bytea, splice_version smallint
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    with announced as (
        select e.*, convert_from(e.body, 'UTF8')::jsonb -> 'data' as said
        from ledger.event e
        where e.type = 'alert.silence_announced' and e.position <= at_position
    )
    select a.position, a.stream, a.version, a.event_id, a.type, a.home, a.recorded_at, a.command_id, a.command_mac,
        a.body, a.splice_version
    from announced a
    where a.said ->> 'standing' = 'begins' and not exists (
        select from announced o
        where o.said ->> 'silence_id' = a.said ->> 'silence_id' and o.said ->> 'standing' = 'ends')
    order by a.position
$$;

-- Every rule set that was adopted after a version: by its rules an alert stands or ends what was told.
create function notifier.rules(after_version integer) returns table (
    "position" bigint, stream text, version integer, event_id uuid, type text, home text, recorded_at timestamptz,
    command_id uuid, command_mac bytea, body bytea, splice_version smallint
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    from ledger.event where stream = 'reference/rules' and version > after_version order by version
$$;

drop function notifier.told_since_it_began(uuid, text, bigint);
drop function notifier.record(
    uuid[], bigint[], integer[], bigint[], uuid[], boolean[], integer[], boolean[], text[], double precision[], text[],
    interval);

-- As in 0020, but a try may send several alerts, which stand in `sent_…`, each with whose it is; and where it is
-- delivered, a subscriber moves to its cursor, or stays where that is null. What was tried to be sent is believed.
create function notifier.record(
    subscribers uuid[], versions bigint[], resend_numbers integer[], cursors bigint[],
    delivered boolean[], statuses integer[], public boolean[], errors text[], delays double precision[], ends text[],
    sent_to uuid[], sent_positions bigint[], sent_events uuid[], sent_units text[], sent_modes text[],
    sent_levels smallint[], sent_stand boolean[], give_up interval
) returns table (subscriber_id uuid, disabled_because text) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    now timestamptz := clock_timestamp();
    one_try constant interval := '2 minutes';
    elsewhere_at timestamptz;
begin
    if not notifier.leads() then
        raise exception 'only the leading notifier writes what was sent: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
    perform from notifier.subscriber s where s.subscriber_id = any (subscribers) order by s.subscriber_id for update;
    insert into notifier.delivery as d
        (subscriber_id, resends, position, event_id, attempts, first_at, last_at, status, error, delivered_at)
        select t.subscriber_id, t.resends, one.position, one.event_id, 1, now, now, t.status, t.error,
            case when t.delivered then now end
        from unnest(subscribers, resend_numbers, delivered, statuses, errors)
            as t (subscriber_id, resends, delivered, status, error)
        join unnest(sent_to, sent_positions, sent_events) as one (subscriber_id, position, event_id)
            on one.subscriber_id = t.subscriber_id
        join notifier.subscriber s on s.subscriber_id = t.subscriber_id  -- not one that was removed meanwhile
        on conflict (subscriber_id, resends, position) do update set
            attempts = d.attempts + 1, last_at = excluded.last_at, status = excluded.status, error = excluded.error,
            delivered_at = coalesce(d.delivered_at, excluded.delivered_at);
    insert into notifier.believed as b (subscriber_id, unit, mode, position, level, stands, delivered)
        select distinct on (one.subscriber_id, one.unit, one.mode)
            one.subscriber_id, one.unit, one.mode, one.position, one.level, one.stands, t.delivered
        from unnest(sent_to, sent_positions, sent_units, sent_modes, sent_levels, sent_stand)
            as one (subscriber_id, position, unit, mode, level, stands)
        join unnest(subscribers, resend_numbers, delivered) as t (subscriber_id, resends, delivered)
            on t.subscriber_id = one.subscriber_id
        join notifier.subscriber s on s.subscriber_id = t.subscriber_id and s.resends = t.resends
        where one.unit is not null
        order by one.subscriber_id, one.unit, one.mode, one.position desc
        on conflict (subscriber_id, unit, mode) do update set
            position = excluded.position, level = excluded.level, stands = excluded.stands,
            delivered = excluded.delivered or (b.delivered and b.position = excluded.position);
    insert into notifier.reached as r (public, answered_at)
        select distinct a.public, now from unnest(statuses, public) as a (status, public) where a.status is not null
        on conflict (public) do update set answered_at = excluded.answered_at;
    elsewhere_at := (select r.answered_at from notifier.reached r order by r.public desc limit 1);
    return query
        update notifier.subscriber s set
            position = case when t.delivered then greatest(s.position, t.cursor) else s.position end,
            attempts = case when t.delivered then 0 else s.attempts + 1 end,
            failing_since = case when t.delivered then null else coalesce(s.failing_since, now) end,
            failed_for = case when t.delivered then interval '0' else t.failed_for end,
            next_at = case when t.delivered then null else now + make_interval(secs => t.delay) end,
            last_at = now, last_status = t.status, last_error = t.error,
            delivered_at = case when t.delivered then now else s.delivered_at end,
            disabled_because = coalesce(s.disabled_because, t.because),
            disabled_since = case when t.because is not null then coalesce(s.disabled_since, now) else s.disabled_since end
        from (
            select f.*, case
                when f.ends is not null then f.ends
                when not f.delivered and f.failed_for > give_up then
                    format('nothing could be delivered since %s: %s',
                        to_char(f.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), f.error)
                end as because
            from (
                select u.*, o.failing_since, o.failed_for + case
                    when o.failing_since is not null and (u.status is not null or elsewhere_at > o.last_at)
                    then greatest(
                        least(now - o.last_at, coalesce(o.next_at - o.last_at, interval '0') + one_try), interval '0')
                    else interval '0' end as failed_for
                from unnest(subscribers, versions, resend_numbers, cursors, delivered, statuses, errors, delays, ends)
                    as u (subscriber_id, version, resends, cursor, delivered, status, error, delay, ends)
                join notifier.subscriber o on o.subscriber_id = u.subscriber_id
            ) as f
        ) as t
        where s.subscriber_id = t.subscriber_id and s.resends = t.resends
        and (s.version = t.version or (t.delivered and t.version >= s.url_version))
        returning s.subscriber_id, s.disabled_because;
end
$$;

drop function notifier.pass_by(uuid[], bigint[], bigint[]);

-- Everything up to a position is decided of a subscriber, and these alerts of it are held back: both at once, so that
-- nothing is passed by that is held nowhere. Not where a person has changed its filters meanwhile.
create function notifier.pass_by(
    id uuid, of_version bigint, up_to bigint, units text[], modes text[], positions bigint[]
) returns void language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.leads() then
        raise exception 'only the leading notifier writes what was sent: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
    update notifier.subscriber s set position = greatest(s.position, up_to)
        where s.subscriber_id = id and s.version = of_version;
    if not found then
        return;
    end if;
    delete from notifier.held h where h.subscriber_id = id;
    insert into notifier.held (subscriber_id, unit, mode, position)
        select id, one.unit, one.mode, one.position
        from unnest(units, modes, positions) as one (unit, mode, position);
end
$$;


drop function notifier.add(uuid, text, text[], integer, text[], text[], uuid, bigint, uuid, bytea, smallint);

-- As in 0020, and how it is told.
create function notifier.add(
    id uuid, address text, filter_units text[], filter_level integer, filter_changes text[], filter_modes text[],
    in_one boolean, for_seconds integer, higher_ones boolean,
    owner uuid, from_position bigint, secret uuid, sealed_secret bytea, sealed_by smallint
) returns table (outcome text, subscriber uuid) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    most constant integer := 50;  -- each costs a connection and a row of each alert
    last bigint := coalesce(
        (select e.position from ledger.event e where e.type = 'alert.issued' order by e.position desc limit 1), 0);
begin
    if owner is not null then
        perform notifier.hold_owner(owner);
        if exists (select from vault.person p where p.person_id = owner and p.erased_at is not null) then
            return query select 'erased', null::uuid;
            return;
        end if;
        if not exists (select from notifier.subscriber s where s.url = address and s.created_by = owner)
            and (select count(*) from notifier.subscriber s where s.created_by = owner) >= most
        then
            return query select 'too_many', null::uuid;
            return;
        end if;
    end if;
    insert into notifier.subscriber
        (subscriber_id, url, units, minimum_level, changes, modes, by_province, wait_seconds, inhibits, created_by,
            position)
        values (id, address, filter_units, filter_level, filter_changes, filter_modes, in_one, for_seconds, higher_ones,
            owner, least(coalesce(from_position - 1, last), last))
        on conflict do nothing;
    if not found then
        return query select 'there', s.subscriber_id from notifier.subscriber s
            where s.url = address and s.created_by is not distinct from owner;
        return;
    end if;
    insert into notifier.secret (secret_id, subscriber_id, sealed, wrap_version)
        values (secret, id, sealed_secret, sealed_by);
    perform pg_notify('notifier', '');
    return query select 'added', id;
end
$$;

drop function notifier.change(uuid, uuid, text, text[], integer, text[], text[]);

-- As in 0020, and how it is told. What it believes stays, and what is held back for it.
create function notifier.change(
    id uuid, owner uuid, address text, filter_units text[], filter_level integer, filter_changes text[],
    filter_modes text[], in_one boolean, for_seconds integer, higher_ones boolean
) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        attempts = 0, failing_since = null, failed_for = '0', url_version = s.version + 1
        where s.subscriber_id = id and s.url <> address;
    update notifier.subscriber s set
        url = address, units = filter_units, minimum_level = filter_level, changes = filter_changes,
        modes = filter_modes, by_province = in_one, wait_seconds = for_seconds, inhibits = higher_ones,
        version = s.version + 1, next_at = null
        where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- As in 0020; what it believed and what was held back is as it was at that place.
create or replace function notifier.resend(id uuid, owner uuid, from_position bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        position = from_position - 1, resends = s.resends + 1, attempts = 0, failing_since = null, failed_for = '0',
        next_at = null, version = s.version + 1
        where s.subscriber_id = id and s.position >= from_position;
    if not found then
        return null;
    end if;
    perform notifier.believe_anew(id, from_position);
    delete from notifier.held h where h.subscriber_id = id and h.position >= from_position;
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- As in 0020: everything that is kept of these.
create or replace function notifier.drop_all(ids uuid[]) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    delete from notifier.secret s where s.subscriber_id = any (ids);
    delete from notifier.delivery d where d.subscriber_id = any (ids);
    delete from notifier.believed b where b.subscriber_id = any (ids);
    delete from notifier.held h where h.subscriber_id = any (ids);
    delete from notifier.subscriber s where s.subscriber_id = any (ids);
    select pg_notify('notifier', '');
$$;

revoke all on function notifier.believe_anew, notifier.silences, notifier.rules, notifier.record, notifier.pass_by,
    notifier.add, notifier.change from public;
grant execute on function notifier.add, notifier.change to intabaza_app;
grant execute on function notifier.silences, notifier.rules, notifier.record, notifier.pass_by to intabaza_notifier;
reset role;
