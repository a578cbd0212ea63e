"""Metrics for Prometheus. prometheus_client is imported only by a server that is told to offer them."""
