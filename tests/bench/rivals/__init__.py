"""What else one could run: servers and recipes that stand beside the product in the same table."""
