-- The vault: keys, the people behind random ids, and what links them. Only the role intabaza_vault comes in, and it can
-- read and add, not change or take away: destruction goes through the functions below, which keep the order of locks.
--
-- Order of locks, the same everywhere: append lock (ledger.hold), then persons, then keys. An append holds the append
-- lock and share-locks the keys it names, so a destruction comes before it (the append is refused) or after it.

CREATE SCHEMA IF NOT EXISTS vault AUTHORIZATION intabaza_owner;
SET LOCAL ROLE intabaza_owner;
REVOKE ALL ON SCHEMA vault FROM PUBLIC;
GRANT USAGE ON SCHEMA vault TO intabaza_vault;

-- A person is a random id. What is left after erasure is the id and when: nothing finds it any more.
CREATE TABLE vault.person (
    person_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    phone_mac bytea UNIQUE,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamptz,
    CHECK (octet_length(phone_mac) = 32),
    CHECK (erased_at IS NULL OR phone_mac IS NULL)
);

-- One key a report, one a case, one a person and stream. `wrapped` is the data key under the master key of version
-- `wrap_version`; a destroyed key keeps its row for ever, so that it can never be made again under the same subject.
CREATE TABLE vault.key (
    key_id       uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('report', 'case', 'person')),
    subject      text NOT NULL,
    person_id    uuid REFERENCES vault.person,
    wrapped      bytea,
    wrap_version smallint NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    UNIQUE (kind, subject),
    CHECK ((kind = 'person') = (person_id IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX key_by_person ON vault.key (person_id) WHERE person_id IS NOT NULL;

-- Which people a report's (or case's) text speaks of: erasing one of them destroys the key.
CREATE TABLE vault.speaks_of (
    key_id    uuid NOT NULL REFERENCES vault.key,
    person_id uuid NOT NULL REFERENCES vault.person,
    PRIMARY KEY (person_id, key_id)
);

-- Whose report it is: answers "their own report" and "same source".
CREATE TABLE vault.report_source (
    report_id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES vault.person
);
CREATE INDEX report_source_by_person ON vault.report_source (person_id);

-- A person's name in events about one case or report. Drawn, not computed: once the row is gone nothing recomputes it.
CREATE TABLE vault.pseudonym (
    person_id uuid NOT NULL REFERENCES vault.person,
    about     uuid NOT NULL,
    ref       uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    PRIMARY KEY (person_id, about)
);

-- A reporter's stream in each home, under ids that do not match.
CREATE TABLE vault.reporter (
    person_id   uuid NOT NULL REFERENCES vault.person,
    home        text NOT NULL,
    reporter_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    PRIMARY KEY (person_id, home)
);

-- Share-locks these persons, making rows for ids it sees for the first time, and returns those who are not erased.
CREATE FUNCTION vault.hold_persons(wanted uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO vault.person (person_id)
        SELECT DISTINCT p FROM unnest(wanted) AS p
        WHERE NOT EXISTS (SELECT FROM vault.person WHERE person_id = p) ORDER BY p
        ON CONFLICT DO NOTHING;
    RETURN QUERY
        SELECT person_id FROM vault.person
        WHERE person_id = ANY (wanted) AND erased_at IS NULL ORDER BY person_id FOR SHARE;
END $$;

-- Makes the keys that are missing and reads all of them back, in one transaction that its caller's commit syncs.
-- Arrays run side by side; `spoken_key[i]` (an index into them, from 1) speaks of `spoken_person[i]`. A key of an erased
-- person, or that speaks of one, comes back with nothing in `wrapped`, like a destroyed one.
-- A function, because each of its statements sees what others committed before it: in one statement the read-back
-- would miss the key that won the race.
CREATE FUNCTION vault.make_keys(
    kinds text[], subjects text[], persons uuid[], key_ids uuid[], wraps bytea[], version smallint,
    spoken_key int[], spoken_person uuid[]
) RETURNS TABLE (place int, key_id uuid, wrapped bytea, wrap_version smallint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    living uuid[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'keys are made under READ COMMITTED: an older snapshot would miss a key made by another';
    END IF;
    IF cardinality(spoken_key) > 0 OR EXISTS (
        SELECT FROM unnest(kinds, subjects) AS w (kind, subject)
        WHERE NOT EXISTS (SELECT FROM vault.key k WHERE k.kind = w.kind AND k.subject = w.subject)
    ) THEN
        living := ARRAY (SELECT vault.hold_persons(array_remove(persons, NULL) || spoken_person));
        INSERT INTO vault.key (key_id, kind, subject, person_id, wrapped, wrap_version)
            SELECT w.key_id, w.kind, w.subject, w.person, w.wrapped, version
            FROM unnest(kinds, subjects, persons, key_ids, wraps) WITH ORDINALITY
                AS w (kind, subject, person, key_id, wrapped, place)
            WHERE (w.person IS NULL OR w.person = ANY (living))
              AND NOT EXISTS (
                SELECT FROM unnest(spoken_key, spoken_person) AS s (place, person)
                WHERE s.place = w.place AND s.person <> ALL (living))
            ORDER BY w.kind, w.subject
            ON CONFLICT (kind, subject) DO NOTHING;
        INSERT INTO vault.speaks_of (key_id, person_id)
            SELECT k.key_id, s.person
            FROM unnest(spoken_key, spoken_person) AS s (place, person)
            JOIN vault.key k ON k.kind = kinds[s.place] AND k.subject = subjects[s.place]
            WHERE s.person = ANY (living)
            ORDER BY s.person, k.key_id
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY
        SELECT w.place::int, k.key_id,
               CASE WHEN EXISTS (
                   SELECT FROM unnest(spoken_key, spoken_person) AS s (place, person)
                   WHERE s.place = w.place AND s.person <> ALL (living)) THEN NULL ELSE k.wrapped END,
               k.wrap_version
        FROM unnest(kinds, subjects) WITH ORDINALITY AS w (kind, subject, place)
        JOIN vault.key k ON k.kind = w.kind AND k.subject = w.subject;
END $$;

-- Wipes keys, for ever. In the caller's transaction, so that the event that says so can be appended in the same one.
CREATE FUNCTION vault.destroy_keys(doomed uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'keys are destroyed under READ COMMITTED: an older snapshot would miss an append before it';
    END IF;
    PERFORM ledger.hold();
    RETURN QUERY
        UPDATE vault.key k SET wrapped = NULL, destroyed_at = clock_timestamp()
        WHERE k.key_id IN (
            SELECT d.key_id FROM vault.key d
            WHERE d.key_id = ANY (doomed) AND d.destroyed_at IS NULL ORDER BY d.key_id FOR UPDATE)
        RETURNING k.key_id;
END $$;

-- Erases a person: their keys, the keys of texts that speak of them, their phone and every link to them.
-- Locks the person before it looks for keys, so that a key being made for them is either found or refused.
CREATE FUNCTION vault.erase_person(doomed uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a person is erased under READ COMMITTED: an older snapshot would miss a key made before it';
    END IF;
    PERFORM ledger.hold();
    PERFORM FROM vault.person WHERE person_id = doomed FOR UPDATE;
    UPDATE vault.person SET phone_mac = NULL, erased_at = coalesce(erased_at, clock_timestamp())
        WHERE person_id = doomed;
    RETURN QUERY
        SELECT vault.destroy_keys(ARRAY (
            SELECT key_id FROM vault.key WHERE person_id = doomed
            UNION
            SELECT key_id FROM vault.speaks_of WHERE person_id = doomed));
    DELETE FROM vault.speaks_of WHERE person_id = doomed;
    DELETE FROM vault.report_source WHERE person_id = doomed;
    DELETE FROM vault.pseudonym WHERE person_id = doomed;
    DELETE FROM vault.reporter WHERE person_id = doomed;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA vault FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA vault TO intabaza_vault;
GRANT SELECT ON ALL TABLES IN SCHEMA vault TO intabaza_vault;
GRANT INSERT ON vault.person, vault.report_source, vault.pseudonym, vault.reporter TO intabaza_vault;
RESET ROLE;
