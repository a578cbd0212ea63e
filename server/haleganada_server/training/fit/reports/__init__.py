"""What a training tells while it runs, and leaves for people: its stages and epochs, its history."""
