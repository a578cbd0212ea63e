-- Jobs. A job that nobody carries out has no server; fence grows whenever it changes hands, so that what a server writes
-- that has lost its lease is refused.
CREATE TABLE jobs (
    job_id text COLLATE "C" PRIMARY KEY,
    record text NOT NULL,
    open boolean NOT NULL,
    server text NOT NULL,
    fence bigint NOT NULL,
    lease_until timestamptz,
    deleted boolean NOT NULL,
    change bigint NOT NULL
);
CREATE INDEX jobs_by_change ON jobs (change);
CREATE INDEX jobs_by_lease ON jobs (lease_until) WHERE open AND server <> '';
