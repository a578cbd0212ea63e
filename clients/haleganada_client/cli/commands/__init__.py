"""The commands, one module for each group; root.SECTIONS says which module has which command."""
