"""What happens around every call: who is let in, on which threads, how long the server waits for the caller."""
