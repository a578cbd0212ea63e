"""Pictures whose labels stand in a file of their own, and pictures in folders."""
