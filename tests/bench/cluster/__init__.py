"""Several servers on one database: what teaching costs there, how soon others know of it, and what kills do."""
