"""What goes over the wire: messages as dataclasses and back, files in chunks, folders as one file, the health check."""
