"""What commands print: sentences, tables, progress and pictures."""
