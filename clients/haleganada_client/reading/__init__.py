"""Reading documents: what the client sends and returns, the stream of many documents, the readings that are kept."""
