"""Data sets on disk, and how they get there: uploads, files of many formats, folders on the server."""
