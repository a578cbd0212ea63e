"""The logs of all workspaces in one PostgreSQL database, which several servers may share."""
