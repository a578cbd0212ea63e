"""The server's child processes: encoder workers, jobs, online learners and previews, and how they are spoken to."""
