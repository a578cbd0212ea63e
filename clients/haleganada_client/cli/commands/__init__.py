"""One module for each command group, named as the command is."""
