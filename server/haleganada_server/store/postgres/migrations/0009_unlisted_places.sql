-- Places in the object store that no row names: those that are being written, and those whose files are to be removed. What
-- a killed server leaves there is removed by another one a day later, see shared/places.py.
CREATE TABLE unlisted_places (
    place text COLLATE "C" PRIMARY KEY,
    useless boolean NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
