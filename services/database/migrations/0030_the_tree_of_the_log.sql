-- The Merkle tree of the log, in tiles of up to 256 hashes: what is signed and what proofs are made of. It follows from
-- the ledger, so it is in no backup, and whoever extends it can begin again from nothing. Who extends and signs it logs
-- in as a role of its own; who reads the ledger may read the tree.

do $$
begin
    if not exists (select from pg_roles where rolname = 'intabaza_notary') then
        begin
            create role intabaza_notary
                login nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
        exception when duplicate_object or unique_violation then
            null;  -- another database of this cluster was faster
        end;
    end if;
end
$$;

create schema notary authorization intabaza_owner;
set local role intabaza_owner;
revoke all on schema notary from public;

create table notary.tree (
    singleton boolean primary key default true check (singleton),
    size bigint not null default 0
);
insert into notary.tree default values;

-- Tile `index` of `level`: the roots of complete subtrees of height 8 · level, 32 bytes each.
create table notary.tile (
    level smallint not null check (level between 0 and 7),
    index bigint not null check (index >= 0),
    hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
    primary key (level, index)
);
-- Hashes cannot be compressed, so nothing tries to.
alter table notary.tile alter column hashes set storage external;

-- Adds hashes behind those that each tile has, from a tree of `old` leaves to one of `new`. Hashes are never taken back:
-- two that extend the tree at once do not both find the size that they began from.
create function notary.extend(old bigint, new bigint, levels smallint[], indexes bigint[], added bytea[]) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    wrong text;
begin
    update notary.tree t set size = new where t.size = old and new >= old;
    if not found then
        raise exception 'the tree has another size by now than %', old using errcode = 'object_not_in_prerequisite_state';
    end if;
    insert into notary.tile as t (level, index, hashes)
        select a.level, a.index, a.hashes from unnest(levels, indexes, added) as a (level, index, hashes)
        on conflict (level, index) do update set hashes = t.hashes || excluded.hashes;
    select format('tile %s of level %s does not end where a tree of %s leaves does', t.index, t.level, new) into wrong
        from notary.tile t join unnest(levels, indexes) as a (level, index) on a.level = t.level and a.index = t.index
        where octet_length(t.hashes) / 32 <> least(256, (new >> 8 * t.level) - t.index * 256)
        limit 1;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'data_exception';
    end if;
end
$$;

revoke all on function notary.extend from public;
grant usage on schema notary to intabaza_notary, intabaza_app, intabaza_reader;
grant select on notary.tree, notary.tile to intabaza_notary, intabaza_app, intabaza_reader;
grant execute on function notary.extend to intabaza_notary;
reset role;
