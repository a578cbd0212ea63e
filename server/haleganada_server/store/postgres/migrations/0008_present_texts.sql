-- What corrected pages of kept readings say now, and how labels follow each other on them. Derived from the corrections,
-- by whoever has read a page last; revision tells from how many of them.
CREATE TABLE present_texts (
    reading_id text COLLATE "C" NOT NULL,
    page integer NOT NULL,
    revision bigint NOT NULL,
    content text NOT NULL,
    change bigint NOT NULL,
    PRIMARY KEY (reading_id, page)
);
CREATE INDEX present_texts_by_change ON present_texts (change);
