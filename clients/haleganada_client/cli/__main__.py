"""`python -m haleganada_client.cli`."""

from __future__ import annotations

from .group import main

main()
