"""How a server grows with what it holds: start, memory, descriptors and latency."""
