"""`python -m haleganada_client.cli`."""

from __future__ import annotations

from .root import main

main()
