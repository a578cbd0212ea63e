"""Which of the installed engines reads what."""
