"""The folders of all workspaces: their logs, snapshots and trash."""
