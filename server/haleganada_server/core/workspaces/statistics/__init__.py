"""What the stats of a workspace show."""
