"""The line recognizer for handwriting in Latin script: whose hands it sees, its texts, its lines, its training."""
