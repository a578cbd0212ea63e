-- The log. A workspace's row is its lock, and says how far its log has come; log_id names the rows that are its log now,
-- and changes when the workspace is reset, restored or created again. embedded counts what changed without a revision:
-- embeddings that were computed anew.
CREATE SEQUENCE log_ids;
CREATE TABLE workspaces (
    name text COLLATE "C" PRIMARY KEY,
    log_id bigint NOT NULL,
    created_us bigint NOT NULL,
    revision bigint NOT NULL,
    last_sample_id bigint NOT NULL,
    samples_total bigint NOT NULL,
    embedded bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    deleted boolean NOT NULL,
    digest bytea NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE events (
    log_id bigint NOT NULL,
    revision bigint NOT NULL,
    time_us bigint NOT NULL,
    sample_id bigint NOT NULL,
    target bigint NOT NULL,
    undone_by bigint NOT NULL,
    kind text NOT NULL,
    request_id text COLLATE "C",
    payload_hash bytea,
    client text NOT NULL,
    label text COLLATE "C" NOT NULL,
    previous text COLLATE "C" NOT NULL,
    canonical text COLLATE "C" NOT NULL,
    answer text NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (log_id, revision),
    CONSTRAINT events_request_id_is_unique UNIQUE (log_id, request_id)
);
CREATE TABLE samples (
    log_id bigint NOT NULL,
    sample_id bigint NOT NULL,
    loss double precision NOT NULL,
    predicted_revision bigint NOT NULL,
    time_us bigint NOT NULL,
    revision bigint NOT NULL,
    facts_check bigint NOT NULL,
    embedding_check bigint NOT NULL,
    glyph_check bigint NOT NULL,
    new_label boolean NOT NULL,
    correction boolean NOT NULL,
    forgotten boolean NOT NULL,
    label text COLLATE "C" NOT NULL,
    predicted text COLLATE "C" NOT NULL,
    glyph_kind text NOT NULL,
    embedder_hash text NOT NULL,
    embedding bytea NOT NULL,
    glyph bytea NOT NULL,
    PRIMARY KEY (log_id, sample_id)
);
ALTER TABLE samples ALTER COLUMN embedding SET STORAGE EXTERNAL, ALTER COLUMN glyph SET STORAGE EXTERNAL;
CREATE INDEX samples_by_label ON samples (log_id, label, sample_id) WHERE NOT forgotten;
CREATE TABLE links (
    log_id bigint NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    form text COLLATE "C" NOT NULL,
    canonical text COLLATE "C" NOT NULL,
    PRIMARY KEY (log_id, form)
);
