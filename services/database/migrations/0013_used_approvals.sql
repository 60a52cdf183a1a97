-- Approvals that were used: each is good for one opening. Rows stay, since they are few and say what was used when.

set local role intabaza_owner;


create table vault.used_approval (
    approval_id uuid primary key,
    used_at     timestamptz not null default clock_timestamp()
);

grant insert on vault.used_approval to intabaza_vault;
reset role;
