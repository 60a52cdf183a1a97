-- A subscriber is disabled for what its receiver does and not for an outage of ours; another URL begins anew; secrets
-- last as long as was said; subscribers are removed, also with the person they belong to; fifty are fifty.

set local role intabaza_owner;

-- For how long deliveries failed in a way that counts against the receiver (see `record`), and from which version on the
-- URL is the one that stands.
alter table notifier.subscriber
    add column failed_for interval not null default '0',
    add column url_version bigint not null default 1;

-- When a receiver answered last, whichever it was: at an address of the internet, and at one that is not public.
create table notifier.reached (
    public boolean primary key,
    answered_at timestamptz not null
);

drop function notifier.record(
    uuid[], integer[], bigint[], uuid[], boolean[], integer[], text[], double precision[], text[], interval);

-- What came of tries, each of another subscriber. A try of before it was asked to send again stands among the deliveries,
-- and moves nothing; one of before a person changed it moves it on where it was delivered to the URL that stands, and else
-- nothing: a failure of the old says nothing of the new. Answers why whom this disabled, and nothing of those whom it did
-- not move.
--
-- A failure counts for the time since the try before, but no longer than was waited on purpose and one try takes: while no
-- notifier ran nobody failed. It counts only where the receiver answered, or somebody else's did since the try before:
-- else it is not known whose fault it is. Who answers inside says nothing of the internet, unless nobody else ever did.
create function notifier.record(
    subscribers uuid[], versions bigint[], resend_numbers integer[], positions bigint[], events uuid[],
    delivered boolean[], statuses integer[], public boolean[], errors text[], delays double precision[], ends text[],
    give_up interval
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
        select t.subscriber_id, t.resends, t.position, t.event_id, 1, now, now, t.status, t.error,
            case when t.delivered then now end
        from unnest(subscribers, resend_numbers, positions, events, delivered, statuses, errors)
            as t (subscriber_id, resends, position, event_id, delivered, status, error)
        join notifier.subscriber s on s.subscriber_id = t.subscriber_id  -- not one that was removed meanwhile
        on conflict (subscriber_id, resends, position) do update set
            attempts = d.attempts + 1, last_at = excluded.last_at, status = excluded.status, error = excluded.error,
            delivered_at = coalesce(d.delivered_at, excluded.delivered_at);
    insert into notifier.reached as r (public, answered_at)
        select distinct a.public, now from unnest(statuses, public) as a (status, public) where a.status is not null
        on conflict (public) do update set answered_at = excluded.answered_at;
    elsewhere_at := (select r.answered_at from notifier.reached r order by r.public desc limit 1);
    return query
        update notifier.subscriber s set
            position = case when t.delivered then greatest(s.position, t.position) else s.position end,
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
                from unnest(subscribers, versions, resend_numbers, positions, delivered, statuses, errors, delays, ends)
                    as u (subscriber_id, version, resends, position, delivered, status, error, delay, ends)
                join notifier.subscriber o on o.subscriber_id = u.subscriber_id
            ) as f
        ) as t
        where s.subscriber_id = t.subscriber_id and s.resends = t.resends
        and (s.version = t.version or (t.delivered and t.version >= s.url_version))
        returning s.subscriber_id, s.disabled_because;
end
$$;

-- As in 0014, and another URL begins anew: what failed was the one before.
create or replace function notifier.change(
    id uuid, owner uuid, address text, filter_units text[], filter_level integer, filter_changes text[],
    filter_modes text[]
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
        modes = filter_modes, version = s.version + 1, next_at = null
        where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return true;
end
$$;

create or replace function notifier.enable(id uuid, owner uuid) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        disabled_because = null, disabled_since = null, failing_since = null, failed_for = '0', attempts = 0,
        next_at = null, version = s.version + 1
        where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return true;
end
$$;

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
    perform pg_notify('notifier', '');
    return true;
end
$$;


drop function notifier.rotate(uuid, uuid, uuid, bytea, smallint, interval);

-- The new secret signs from now on; the one before it also does, for so long, and those before that until what was said of
-- them. `outcome` is rotated, with when the one before ends; or too_many, where so many are valid already, with when the
-- first of them ends. No row is: there is none such of theirs.
create function notifier.rotate(
    id uuid, owner uuid, secret uuid, sealed_secret bytea, sealed_by smallint, overlap interval
) returns table (outcome text, until timestamptz) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    now timestamptz := clock_timestamp();
    most constant integer := 5;  -- secrets that sign at once: each is a signature in every request
begin
    if not notifier.hold(id, owner) then
        return;
    end if;
    delete from notifier.secret s where s.subscriber_id = id and s.ends_at <= now;
    if (select count(*) from notifier.secret s where s.subscriber_id = id) >= most then
        return query select 'too_many', min(s.ends_at) from notifier.secret s where s.subscriber_id = id;
        return;
    end if;
    update notifier.secret s set ends_at = now + overlap where s.subscriber_id = id and s.ends_at is null;
    insert into notifier.secret (secret_id, subscriber_id, sealed, wrap_version)
        values (secret, id, sealed_secret, sealed_by);
    update notifier.subscriber s set version = s.version + 1 where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return query select 'rotated', now + overlap;
end
$$;


drop function notifier.add(
    uuid, text, text[], integer, text[], text[], uuid, bigint, uuid, bytea, smallint);

-- One after the other: whoever adds one of somebody's, and whoever erases them.
create function notifier.hold_owner(owner uuid) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select pg_advisory_xact_lock(hashtextextended('notifier ' || owner, 0))
$$;

-- As in 0016. `outcome` is added; there, with the one that has this URL already; too_many; or erased: whose it would be is.
create function notifier.add(
    id uuid, address text, filter_units text[], filter_level integer, filter_changes text[], filter_modes text[],
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
        (subscriber_id, url, units, minimum_level, changes, modes, created_by, position)
        values (id, address, filter_units, filter_level, filter_changes, filter_modes, owner,
            least(coalesce(from_position - 1, last), last))
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


-- Everything that is kept of these: their URLs, their secrets, what was sent to them.
create function notifier.drop_all(ids uuid[]) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    delete from notifier.secret s where s.subscriber_id = any (ids);
    delete from notifier.delivery d where d.subscriber_id = any (ids);
    delete from notifier.subscriber s where s.subscriber_id = any (ids);
    select pg_notify('notifier', '');
$$;

-- Nothing more is sent to it, and nothing is kept of it.
create function notifier.remove(id uuid, owner uuid) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    perform notifier.drop_all(array[id]);
    return true;
end
$$;

-- As in 0002, and what they had sent to them goes with them.
create or replace function vault.erase_person(doomed uuid) returns setof uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'a person is erased under READ COMMITTED: an older snapshot would miss a key made before it';
    end if;
    perform ledger.hold();
    insert into vault.person (person_id) values (doomed) on conflict do nothing;
    update vault.person set phone_mac = null, erased_at = coalesce(erased_at, clock_timestamp())
        where person_id = doomed;
    return query
        select vault.destroy_keys(array (
            select key_id from vault.key where person_id = doomed
            union
            select key_id from vault.speaks_of where person_id = doomed));
    delete from vault.speaks_of where person_id = doomed;
    delete from vault.report_source where person_id = doomed;
    delete from vault.pseudonym where person_id = doomed;
    delete from vault.reporter where person_id = doomed;
    perform notifier.hold_owner(doomed);
    perform notifier.drop_all(array (
        select s.subscriber_id from notifier.subscriber s
        where s.created_by = doomed order by s.subscriber_id for update));
end
$$;

revoke all on function notifier.record, notifier.rotate, notifier.add, notifier.hold_owner, notifier.drop_all,
    notifier.remove from public;
grant execute on function notifier.rotate, notifier.add, notifier.remove to intabaza_app;
grant execute on function notifier.record to intabaza_notifier;
reset role;
