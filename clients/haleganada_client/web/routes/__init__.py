"""The routes of the page, of its JSON and of REST, and what they share."""
