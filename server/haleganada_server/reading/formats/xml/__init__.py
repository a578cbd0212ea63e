"""Formats that are XML: hOCR, ALTO and PAGE XML."""
