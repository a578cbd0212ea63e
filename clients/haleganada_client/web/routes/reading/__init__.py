"""The routes that read documents: for the page, and for programs."""
