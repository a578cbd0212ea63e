"""Bytes of an image file -> gray values, checked before they are decoded, without holding a large picture twice."""
