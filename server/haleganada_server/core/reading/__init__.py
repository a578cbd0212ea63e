"""Reading the text of documents: its values, and the ports that engines and storage implement."""
