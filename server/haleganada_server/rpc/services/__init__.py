"""One servicer for each service of the contract. A method takes about five lines: unpack, call the domain, pack."""
