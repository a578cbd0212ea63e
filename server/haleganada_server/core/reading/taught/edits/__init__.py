"""What people do to the ink of a page: a glyph is divided, or several are joined."""
