"""Jobs: trainings and evaluations that run as processes and outlive their clients."""
