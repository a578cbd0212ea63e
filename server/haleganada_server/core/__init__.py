"""What the product does, free of gRPC, SQL and neural-network runtimes: frozen dataclasses and arrays in, the same
out.
"""
