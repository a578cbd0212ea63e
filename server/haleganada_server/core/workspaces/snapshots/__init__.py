"""How long snapshots are kept, and which ones the server takes by itself."""
