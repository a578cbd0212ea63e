-- Drawings of predictions on their way from the server that remembers them to the one at which they are corrected. A row
-- lives for a moment, and none matters after a crash.
CREATE UNLOGGED TABLE predictions (
    prediction_id text COLLATE "C" PRIMARY KEY,
    workspace text COLLATE "C" NOT NULL,
    glyph_kind text NOT NULL,
    glyph bytea NOT NULL,
    embedding bytea NOT NULL,
    synthetic boolean NOT NULL,
    predicted text NOT NULL,
    revision bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
