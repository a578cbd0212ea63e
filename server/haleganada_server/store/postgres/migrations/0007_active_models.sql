-- Which shared model answers for a workspace; none = its own head.
CREATE TABLE active_models (
    workspace text COLLATE "C" PRIMARY KEY,
    model_id text COLLATE "C" NOT NULL
);
