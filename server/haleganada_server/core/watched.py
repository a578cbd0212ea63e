"""What commands change beside a running server: taken anew when it has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sized
from typing import Generic, Protocol, TypeVar

from .errors import HaleganadaError

Content = TypeVar("Content", bound=Sized)
Read = TypeVar("Read", bound=Sized, covariant=True)
_log = logging.getLogger(__name__)


class Source(Protocol[Read]):
    """Where it is kept."""

    def stamp(self) -> Hashable:
        """Return what changes when the content does. Raises OSError."""

    def read(self) -> Read:
        """Return the content. Raises HaleganadaError for what is damaged, OSError if the machine fails."""


class Watched(Generic[Content]):
    """Takes the content of a source at once, and then at each look that finds it changed. For one thread at a time."""

    def __init__(self, source: Source[Content], name: str, take: Callable[[Content], None]) -> None:
        """name: of the content, in the log. take: called with the content. Raises as source.read()."""
        self._source, self._name, self._take = source, name, take
        self._stamp = source.stamp()
        self._failure = ""
        take(source.read())

    def look(self) -> None:
        """Take the content as it is now, if it has changed. If it cannot be read, the log says so once. What the
        machine fails to read is tried again at the next look, what is damaged when it has changed.
        """
        try:
            stamp = self._source.stamp()
            if stamp == self._stamp:
                return
            content = self._source.read()
        except HaleganadaError as error:
            self._stamp = stamp
            self._tell(error.message)
        except OSError as error:
            self._tell(str(error))
        else:
            self._stamp, self._failure = stamp, ""
            self._take(content)
            _log.warning("the %s have changed; there are %d", self._name, len(content))

    def _tell(self, failure: str) -> None:
        if failure != self._failure:
            self._failure = failure
            _log.error("the %s cannot be read, so those from before stay valid: %s", self._name, failure)
