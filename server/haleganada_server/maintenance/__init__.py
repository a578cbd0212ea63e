"""Commands for the machine that the server runs on. They work on the data directory, and call no server."""
