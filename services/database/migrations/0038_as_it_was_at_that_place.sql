-- Sent again from a place, a subscriber believes what it believed there, and there is held back what was: an alert that was
-- told stands or not as it did when it was sent, and what was let go later is held back again until then.

set local role intabaza_owner;

-- Whether an alert was one that stands, by the rules of its time; null of an announcement, and of what was sent before this.
alter table notifier.delivery add column stands boolean;
update notifier.delivery d set stands = b.stands from notifier.believed b
    where b.subscriber_id = d.subscriber_id and b.position = d.position;

-- What was held back, and by what position it no longer was: sent, replaced, or what left everybody where they were.
create table notifier.let_go (
    subscriber_id uuid not null references notifier.subscriber,
    unit text not null,
    mode text not null,
    position bigint not null,
    let_go_at bigint not null,
    primary key (subscriber_id, unit, mode, position)
);
alter table notifier.let_go enable row level security;


-- What a subscriber believes of all units, or of some, from what was sent to it before a position, but for what was held
-- back there.
--
-- Of what was sent before this it is not written down whether it stood, nor until where it was held back: what was neither
-- taken back nor went to calm may stand, so its end is told, perhaps once more than needed; and it is believed from its own
-- position on.
create function notifier.believed_at(id uuid, before_position bigint, of_units text[]) returns table (
    unit text, mode text, "position" bigint, level smallint, stands boolean, delivered boolean
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select distinct on (told.said -> 'data' ->> 'unit', told.said ->> 'mode')
        told.said -> 'data' ->> 'unit', told.said ->> 'mode', told.position, (told.said -> 'data' ->> 'to')::smallint,
        coalesce(
            told.stands, told.said -> 'data' ->> 'change' <> 'cancelled' and told.said -> 'data' ->> 'to' <> '0'),
        told.delivered
    from (
        select d.position, d.resends, d.stands, d.delivered_at is not null as delivered,
            convert_from(e.body, 'UTF8')::jsonb as said
        from notifier.delivery d join ledger.event e on e.event_id = d.event_id
        where d.subscriber_id = id and d.position < before_position and e.type = 'alert.issued'
            and (of_units is null or e.stream = any (select 'alert/' || one from unnest(of_units) as one))
            and not exists (
                select from notifier.held h where h.subscriber_id = id and h.position = d.position)
    ) as told
    order by 1, 2, told.position desc, told.delivered desc, told.stands is null, told.resends desc;
$$;

create or replace function notifier.believe_anew(id uuid, before_position bigint) returns void
language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    delete from notifier.believed b where b.subscriber_id = id;
    insert into notifier.believed (subscriber_id, unit, mode, position, level, stands, delivered)
        select id, a.unit, a.mode, a.position, a.level, a.stands, a.delivered
        from notifier.believed_at(id, before_position, null) as a;
$$;

-- As in 0028, and whether what was sent stands.
create or replace function notifier.record(
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
        (subscriber_id, resends, position, event_id, attempts, first_at, last_at, status, error, delivered_at, stands)
        select t.subscriber_id, t.resends, one.position, one.event_id, 1, now, now, t.status, t.error,
            case when t.delivered then now end, one.stands
        from unnest(subscribers, resend_numbers, delivered, statuses, errors)
            as t (subscriber_id, resends, delivered, status, error)
        join unnest(sent_to, sent_positions, sent_events, sent_stand) as one (subscriber_id, position, event_id, stands)
            on one.subscriber_id = t.subscriber_id
        join notifier.subscriber s on s.subscriber_id = t.subscriber_id  -- not one that was removed meanwhile
        on conflict (subscriber_id, resends, position) do update set
            attempts = d.attempts + 1, last_at = excluded.last_at, status = excluded.status, error = excluded.error,
            stands = coalesce(excluded.stands, d.stands),
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

drop function notifier.pass_by(uuid, bigint, bigint, text[], text[], bigint[]);

-- As in 0028, and what was let go on the way to that position, with where that was; answers whether it was written.
create function notifier.pass_by(
    id uuid, of_version bigint, up_to bigint, units text[], modes text[], positions bigint[],
    gone_units text[], gone_modes text[], gone_positions bigint[], gone_at bigint[]
) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.leads() then
        raise exception 'only the leading notifier writes what was sent: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
    update notifier.subscriber s set position = greatest(s.position, up_to)
        where s.subscriber_id = id and s.version = of_version;
    if not found then
        return false;
    end if;
    delete from notifier.held h where h.subscriber_id = id;
    insert into notifier.held (subscriber_id, unit, mode, position)
        select id, one.unit, one.mode, one.position
        from unnest(units, modes, positions) as one (unit, mode, position);
    insert into notifier.let_go (subscriber_id, unit, mode, position, let_go_at)
        select id, one.unit, one.mode, one.position, one.at
        from unnest(gone_units, gone_modes, gone_positions, gone_at) as one (unit, mode, position, at)
        on conflict (subscriber_id, unit, mode, position) do update set let_go_at = excluded.let_go_at;
    return true;
end
$$;

-- As in 0028.
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
    delete from notifier.held h where h.subscriber_id = id and h.position >= from_position;
    with since as (
        delete from notifier.let_go g where g.subscriber_id = id and g.let_go_at >= from_position returning g.*
    )
    insert into notifier.held (subscriber_id, unit, mode, position)
        select g.subscriber_id, g.unit, g.mode, g.position from since g where g.position < from_position
        on conflict do nothing;
    perform notifier.believe_anew(id, from_position);
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- As in 0028, and what was let go.
create or replace function notifier.drop_all(ids uuid[]) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    delete from notifier.secret s where s.subscriber_id = any (ids);
    delete from notifier.delivery d where d.subscriber_id = any (ids);
    delete from notifier.believed b where b.subscriber_id = any (ids);
    delete from notifier.held h where h.subscriber_id = any (ids);
    delete from notifier.let_go g where g.subscriber_id = any (ids);
    delete from notifier.subscriber s where s.subscriber_id = any (ids);
    select pg_notify('notifier', '');
$$;

revoke all on function notifier.pass_by, notifier.believed_at from public;
grant execute on function notifier.pass_by, notifier.believed_at to intabaza_notifier;
