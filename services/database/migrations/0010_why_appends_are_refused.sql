-- Whoever asks whether the API is ready is told why appends are refused, before anybody sends one.

set local role intabaza_owner;

-- The reason by which an append of this caller would be refused now, whatever it says; null where it would not.
create function ledger.refuses(witness timestamptz) returns text language sql volatile security definer
set search_path = pg_catalog, pg_temp as $$
    select coalesce(
        state.door_shut_because,
        ledger.doubt(state, witness, statement_timestamp(), coalesce(last.position, 0), last.recorded_at)
    )
    from ledger.state
    left join (select position, recorded_at from ledger.event order by position desc limit 1) as last on true
$$;
revoke all on function ledger.refuses from public;
grant execute on function ledger.refuses to intabaza_app;
reset role;
