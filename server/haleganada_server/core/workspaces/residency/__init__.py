"""Which workspaces are in memory: loaded at their first use, unloaded when others need the room."""
