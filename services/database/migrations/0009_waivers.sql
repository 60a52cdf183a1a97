-- Which waivers count. One counts for a key that has not taken the event it names: it waits there, or comes there later.
-- One whose key has taken the event already comes too late: rows and what was said rest on that event, so it is void,
-- and every replay takes the event as well. The live projections judge, once, when the waiver has been read.

set local role intabaza_owner;

create table projections.waiver (
    projection text collate "C" not null,
    key text collate "C" not null,
    position bigint not null,
    void boolean not null,
    primary key (projection, key, position)
);

grant select, insert, update, delete on projections.waiver to intabaza_projector;
grant select on projections.waiver to intabaza_app, intabaza_reader;
reset role;
