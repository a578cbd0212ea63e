"""What the servers of a database share besides the log: files in an object store, and the rows that list them."""
