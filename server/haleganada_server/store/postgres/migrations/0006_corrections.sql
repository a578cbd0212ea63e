-- The journals of pages of kept readings that servers share: a line for each correction, sealed by a checksum of itself.
CREATE TABLE corrections (
    reading_id text COLLATE "C" NOT NULL,
    page integer NOT NULL,
    revision bigint NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (reading_id, page, revision)
);
