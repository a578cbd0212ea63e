"""The line recognizer for Kannada print that ships: its words, its lines, its training."""
