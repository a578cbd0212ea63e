"""Commands that teach, recognize, and change what was taught."""
