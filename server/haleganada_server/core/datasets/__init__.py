"""Data sets: labeled ink rasters in three parts, assembled, split, stored and found."""
