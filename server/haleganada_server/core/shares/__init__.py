"""What one caller, one workspace and all of them together may use of a server."""
