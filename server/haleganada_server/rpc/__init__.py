"""The contract over gRPC: messages to domain calls, domain errors to statuses. The only room that imports grpc."""
