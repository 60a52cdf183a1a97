-- Witnesses of the log: who is asked to cosign its checkpoints, what each said last, and every cosignature. None of this
-- follows from the ledger, and nothing rests on it: what is lost here, a witness says again.

set local role intabaza_owner;

create table notary.witness (
    number integer generated always as identity primary key,
    key text not null unique check (octet_length(key) <= 1000),
    url text not null check (octet_length(url) <= 2000),
    asked boolean not null,
    said_of bigint,
    said_at timestamptz,
    refused_because text check (length(refused_because) <= 500),
    refused_since timestamptz
);
comment on column notary.witness.asked is 'whether the notary that leads was told to ask it';
comment on column notary.witness.said_of is 'the size of the checkpoint that it was asked about last';
comment on column notary.witness.refused_because is 'why it did not cosign that; null where it did';

create table notary.cosignature (
    witness integer not null references notary.witness,
    size bigint not null check (size > 0),
    line text not null check (octet_length(line) <= 2000),
    kept_at timestamptz not null default clock_timestamp(),
    primary key (witness, size)
);
create index cosignature_size on notary.cosignature (size);

-- Whoever is not named here is asked no more; what it cosigned stays.
create function notary.name_witnesses(keys text[], urls text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform notary.refuse_who_does_not_lead();
    update notary.witness w set asked = false where w.asked and not w.key = any (keys);
    insert into notary.witness as w (key, url, asked)
        select named.key, named.url, true from unnest(keys, urls) with ordinality as named (key, url, place) order by place
        on conflict (key) do update set url = excluded.url, asked = true;
end
$$;

-- What a witness said of the checkpoint of a size: the line that cosigns it, or why there is none.
create function notary.note_witness(witness_key text, of_size bigint, cosigned text, because text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    said integer;
begin
    perform notary.refuse_who_does_not_lead();
    update notary.witness w
        set said_of = of_size, said_at = clock_timestamp(), refused_because = because,
            refused_since = case when because is not null then coalesce(w.refused_since, clock_timestamp()) end
        where w.key = witness_key
        returning w.number into strict said;
    if cosigned is not null then
        insert into notary.cosignature as c (witness, size, line) values (said, of_size, cosigned)
            on conflict (witness, size) do update set line = excluded.line, kept_at = excluded.kept_at;
    end if;
end
$$;

revoke all on function notary.name_witnesses, notary.note_witness from public;
grant execute on function notary.name_witnesses, notary.note_witness to intabaza_notary;
grant select on notary.witness, notary.cosignature to intabaza_notary, intabaza_app, intabaza_reader;
reset role;
