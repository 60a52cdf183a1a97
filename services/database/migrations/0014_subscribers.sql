-- Who is told of alerts by webhook, how far each was told, and what was sent to whom with what result. The notifier logs in
-- as a role of its own: of the ledger it sees what strangers may see, and the gazetteer that filters are read through.

do $$
begin
    if not exists (select from pg_roles where rolname = 'intabaza_notifier') then
        begin
            create role intabaza_notifier
                login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
        exception when duplicate_object or unique_violation then
            null;  -- another database of this cluster was faster
        end;
    end if;
end
$$;

create schema notifier authorization intabaza_owner;
set local role intabaza_owner;
revoke all on schema notifier from public;

create table notifier.subscriber (
    subscriber_id uuid primary key,
    url text not null,
    -- Filters; null is all of them. A unit stands for everything below it, too.
    units text[],
    minimum_level smallint check (minimum_level between 0 and 4),
    changes text[],
    modes text[] not null,
    -- Whose it is, by the id in the vault; null where an operator added it on the machine.
    created_by uuid,
    created_at timestamptz not null default clock_timestamp(),
    -- Changes with every act of a person: what the notifier knows of it is then read anew.
    version bigint not null default 1,
    -- Everything up to here was delivered or is passed by its filters.
    position bigint not null,
    -- How many times somebody asked for things to be sent again: each has delivery rows of its own.
    resends integer not null default 0,
    -- Of the alert after `position`: failed tries, since when none succeeded, when the next one is due.
    attempts integer not null default 0,
    failing_since timestamptz,
    next_at timestamptz,
    -- What came of the last try: a status where there was an answer, our own words where it failed.
    last_at timestamptz,
    last_status integer,
    last_error text,
    delivered_at timestamptz,
    disabled_because text,
    disabled_since timestamptz,
    check ((disabled_because is null) = (disabled_since is null))
);
-- A registration that is sent again after a lost answer finds the first one.
create unique index subscriber_of on notifier.subscriber (url, coalesce(created_by, '00000000-0000-0000-0000-000000000000'));

-- Sealed under the master key. One has no end; the one before it is valid until `ends_at`.
create table notifier.secret (
    secret_id uuid primary key,
    subscriber_id uuid not null references notifier.subscriber,
    sealed bytea not null,
    wrap_version smallint not null,
    made_at timestamptz not null default clock_timestamp(),
    ends_at timestamptz
);
create index secret_of on notifier.secret (subscriber_id);
create unique index secret_now on notifier.secret (subscriber_id) where ends_at is null;

create table notifier.delivery (
    subscriber_id uuid not null references notifier.subscriber,
    resends integer not null,
    position bigint not null,
    event_id uuid not null,
    attempts integer not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    status integer,
    error text,
    delivered_at timestamptz,
    primary key (subscriber_id, resends, position)
);
-- Whether somebody was told what is now corrected.
create index delivery_of on notifier.delivery (subscriber_id, event_id);


-- The lead, as the relay's (0004).

create function notifier.leads() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and pid = pg_backend_pid() and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and (classid::bigint << 32 | objid::bigint) = 7310394218800004
    )
$$;

create function notifier.try_to_lead() returns boolean language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select notifier.leads() or pg_try_advisory_lock(7310394218800004)
$$;


-- What the notifier reads of the ledger.

create function notifier.alerts(after_position bigint, until_position bigint, most integer) returns table (
    "position" bigint, stream text, version integer, event_id uuid, type text, home text, recorded_at timestamptz,
    command_id uuid, command_mac bytea, body bytea, splice_version smallint
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    from ledger.event where type = 'alert.issued' and position > after_position and position <= until_position
    order by position limit most
$$;

create function notifier.gazetteer(after_version integer) returns table (
    "position" bigint, stream text, version integer, event_id uuid, type text, home text, recorded_at timestamptz,
    command_id uuid, command_mac bytea, body bytea, splice_version smallint
) language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
    select position, stream, version, event_id, type, home, recorded_at, command_id, command_mac, body, splice_version
    from ledger.event where stream = 'reference/gazetteer' and version > after_version order by version desc limit 1
$$;


-- What the notifier writes, only while it leads.

-- What came of tries, each of another subscriber. A try of before it was asked to send again stands among the deliveries,
-- and moves nothing. Answers why whom this disabled, and nothing of those whom it did not move.
create function notifier.record(
    subscribers uuid[], resend_numbers integer[], positions bigint[], events uuid[],
    delivered boolean[], statuses integer[], errors text[], delays double precision[], ends text[], give_up interval
) returns table (subscriber_id uuid, disabled_because text) language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    now timestamptz := clock_timestamp();
begin
    if not notifier.leads() then
        raise exception 'only the leading notifier writes what was sent: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
    insert into notifier.delivery as d
        (subscriber_id, resends, position, event_id, attempts, first_at, last_at, status, error, delivered_at)
        select t.subscriber_id, t.resends, t.position, t.event_id, 1, now, now, t.status, t.error,
            case when t.delivered then now end
        from unnest(subscribers, resend_numbers, positions, events, delivered, statuses, errors)
            as t (subscriber_id, resends, position, event_id, delivered, status, error)
        on conflict (subscriber_id, resends, position) do update set
            attempts = d.attempts + 1, last_at = excluded.last_at, status = excluded.status, error = excluded.error,
            delivered_at = coalesce(d.delivered_at, excluded.delivered_at);
    return query
        update notifier.subscriber s set
            position = case when t.delivered then greatest(s.position, t.position) else s.position end,
            attempts = case when t.delivered then 0 else s.attempts + 1 end,
            failing_since = case when t.delivered then null else coalesce(s.failing_since, now) end,
            next_at = case when t.delivered then null else now + make_interval(secs => t.delay) end,
            last_at = now, last_status = t.status, last_error = t.error,
            delivered_at = case when t.delivered then now else s.delivered_at end,
            disabled_because = coalesce(s.disabled_because, t.because),
            disabled_since = case when t.because is not null then coalesce(s.disabled_since, now) else s.disabled_since end
        from (
            select u.*, case
                when u.ends is not null then u.ends
                when not u.delivered and now - o.failing_since > give_up then
                    format('nothing could be delivered since %s: %s',
                        to_char(o.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), u.error)
                end as because
            from unnest(subscribers, resend_numbers, positions, delivered, statuses, errors, delays, ends)
                as u (subscriber_id, resends, position, delivered, status, error, delay, ends)
            join notifier.subscriber o on o.subscriber_id = u.subscriber_id
        ) as t
        where s.subscriber_id = t.subscriber_id and s.resends = t.resends
        returning s.subscriber_id, s.disabled_because;
end
$$;

-- Alerts that filters pass by, so that nobody reads them again; not by filters that a person has changed meanwhile.
create function notifier.pass_by(subscribers uuid[], versions bigint[], positions bigint[]) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.leads() then
        raise exception 'only the leading notifier writes what was sent: this session does not hold the lock'
            using errcode = 'insufficient_privilege';
    end if;
    update notifier.subscriber s set position = t.position
        from unnest(subscribers, versions, positions) as t (subscriber_id, version, position)
        where s.subscriber_id = t.subscriber_id and s.version = t.version and s.position < t.position;
end
$$;


-- What people do, by the API and on the machine. `owner` is whose it must be; null is anybody's. False or null is: there
-- is none such of theirs. Every act tells the notifier, which looks every few seconds anyway.

create function notifier.add(
    id uuid, address text, filter_units text[], filter_level integer, filter_changes text[], filter_modes text[],
    owner uuid, from_position bigint, secret uuid, sealed_secret bytea, sealed_by smallint
) returns uuid language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    head bigint := coalesce((select e.position from ledger.event e order by e.position desc limit 1), 0);
begin
    insert into notifier.subscriber
        (subscriber_id, url, units, minimum_level, changes, modes, created_by, position)
        values (id, address, filter_units, filter_level, filter_changes, filter_modes, owner,
            least(coalesce(from_position - 1, head), head))
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

-- Whoever may act on it, holding its row; shared by the acts below.
create function notifier.hold(id uuid, owner uuid) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    perform from notifier.subscriber s
        where s.subscriber_id = id and (owner is null or s.created_by = owner) for update;
    return found;
end
$$;

create function notifier.change(
    id uuid, owner uuid, address text, filter_units text[], filter_level integer, filter_changes text[],
    filter_modes text[]
) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        url = address, units = filter_units, minimum_level = filter_level, changes = filter_changes,
        modes = filter_modes, version = s.version + 1, next_at = null
        where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- The new secret signs from now on; the one before it also does, for so long. Older ones end.
create function notifier.rotate(
    id uuid, owner uuid, secret uuid, sealed_secret bytea, sealed_by smallint, overlap interval
) returns timestamptz language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    until timestamptz := clock_timestamp() + overlap;
begin
    if not notifier.hold(id, owner) then
        return null;
    end if;
    delete from notifier.secret s where s.subscriber_id = id and s.ends_at is not null;
    update notifier.secret s set ends_at = until where s.subscriber_id = id;
    insert into notifier.secret (secret_id, subscriber_id, sealed, wrap_version)
        values (secret, id, sealed_secret, sealed_by);
    update notifier.subscriber s set version = s.version + 1 where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return until;
end
$$;

create function notifier.disable(id uuid, owner uuid, because text) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        disabled_because = because, disabled_since = clock_timestamp(), version = s.version + 1, next_at = null
        where s.subscriber_id = id and s.disabled_since is null;
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- It goes on where it stood, at once, and has as long again to mend itself.
create function notifier.enable(id uuid, owner uuid) returns boolean language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        disabled_because = null, disabled_since = null, failing_since = null, attempts = 0, next_at = null,
        version = s.version + 1
        where s.subscriber_id = id;
    perform pg_notify('notifier', '');
    return true;
end
$$;

-- Sends again from a position on, which it had come to already; null where that is still ahead of it.
create function notifier.resend(id uuid, owner uuid, from_position bigint) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
begin
    if not notifier.hold(id, owner) then
        return false;
    end if;
    update notifier.subscriber s set
        position = from_position - 1, resends = s.resends + 1, attempts = 0, failing_since = null, next_at = null,
        version = s.version + 1
        where s.subscriber_id = id and s.position >= from_position;
    if not found then
        return null;
    end if;
    perform pg_notify('notifier', '');
    return true;
end
$$;


-- Rights. Who reads through the API sees what its transaction says, as with projections; nobody there reads a secret.

alter table notifier.subscriber enable row level security;
alter table notifier.delivery enable row level security;
create policy whose on notifier.subscriber for select to intabaza_app
    using (current_setting('intabaza.subscribers_of', true) in ('*', created_by::text));
create policy whose on notifier.delivery for select to intabaza_app
    using (exists (select from notifier.subscriber s where s.subscriber_id = delivery.subscriber_id));
create policy all_of_them on notifier.subscriber for select to intabaza_notifier using (true);
create policy all_of_them on notifier.delivery for select to intabaza_notifier using (true);

revoke all on all functions in schema notifier from public;
grant usage on schema notifier to intabaza_app, intabaza_notifier;
grant select on notifier.subscriber, notifier.delivery to intabaza_app, intabaza_notifier;
grant select (subscriber_id, made_at, ends_at) on notifier.secret to intabaza_app;
grant select on notifier.secret to intabaza_notifier;
grant execute on function notifier.add, notifier.change, notifier.rotate, notifier.disable, notifier.enable, notifier.resend
    to intabaza_app;
grant execute on function notifier.leads, notifier.try_to_lead, notifier.alerts, notifier.gazetteer, notifier.record,
    notifier.pass_by to intabaza_notifier;
grant usage on schema relay to intabaza_notifier;
grant execute on function relay.acknowledged to intabaza_notifier;
reset role;
