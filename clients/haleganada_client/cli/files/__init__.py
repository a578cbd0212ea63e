"""Files and folders that the command line names."""
