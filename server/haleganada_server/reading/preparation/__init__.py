"""Makes a page upright, level and even, as all engines want it.

Each step is in a file of its own and acts only where it is sure: a page that is good already is left as it is. Steps
look at a reduced copy of the page, so that they take milliseconds.
"""

from .prepare import prepare
from .prepared import Box, PreparedPage

__all__ = ["Box", "PreparedPage", "prepare"]
