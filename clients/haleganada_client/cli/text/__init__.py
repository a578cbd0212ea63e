"""What commands print: tables, bars, pictures, sentences."""
