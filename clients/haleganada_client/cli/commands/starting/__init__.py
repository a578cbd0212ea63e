"""Commands that start the server and the page, or work on what the server needs: the machine, its data directory."""
