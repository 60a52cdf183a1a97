-- Projections as of moments that somebody asked about: each stands in a schema of its own, made by who answers, and can be
-- deleted at any time. The tables of such a schema are in no write-ahead log, and neither is this one: after a crash of
-- the server all of them are empty, and nobody takes an empty one for an answer.
set local role intabaza_owner;

create unlogged table projections.past (
    place text collate "C" primary key,
    projection text collate "C" not null,
    version integer not null,
    form integer not null,
    position bigint not null,
    asked_at timestamptz not null default clock_timestamp(),
    unique (projection, position)
);

grant select, insert, update, delete on projections.past to intabaza_projector;
grant select on projections.past to intabaza_app, intabaza_reader;
grant update (asked_at) on projections.past to intabaza_app;
reset role;
