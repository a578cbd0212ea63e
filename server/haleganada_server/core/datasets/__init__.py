"""Data sets: labeled ink rasters in three parts, assembled, split, kept and found."""
