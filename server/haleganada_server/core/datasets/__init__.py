"""Data sets: labelled ink rasters in three parts, assembled, split, kept and found."""
