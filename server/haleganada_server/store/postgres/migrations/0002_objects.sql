-- What all servers share besides the log: models and data sets, whose files are in an object store. A row comes after its
-- files and goes before them. files: name -> [bytes, SHA-256]. change: greater with each commit, see shared/catalog.py.
CREATE SEQUENCE changes;
CREATE TABLE objects (
    kind text NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    place text NOT NULL,
    files jsonb NOT NULL,
    description text NOT NULL,
    deleted boolean NOT NULL,
    change bigint NOT NULL,
    PRIMARY KEY (kind, object_id)
);
CREATE INDEX objects_by_change ON objects (kind, change);
