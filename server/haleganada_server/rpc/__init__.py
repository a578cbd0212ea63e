"""The contract's services: unpack a message, call the core, pack the answer. The only room that knows gRPC."""
