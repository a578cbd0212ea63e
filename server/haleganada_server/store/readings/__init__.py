"""Readings that are kept: DIR/readings/<id>/{document, page-00001.json …, reading.json}."""
