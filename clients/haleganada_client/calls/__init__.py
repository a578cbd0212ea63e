"""How calls are made, once for clients whose methods block and for those of asyncio."""
