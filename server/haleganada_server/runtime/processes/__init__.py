"""The server's child processes: encoder and raster workers, jobs, learners, previews; and how they are spoken to."""
