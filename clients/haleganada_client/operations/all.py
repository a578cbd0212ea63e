"""All operations together."""

from __future__ import annotations

from haleganada_client.calls.dual import dual_method
from haleganada_client.wire.arguments import to_seconds

from .changes import Changes
from .documents import Documents
from .recognition import Recognition
from .samples import Samples
from .state import State
from .teaching import Teaching
from .workspaces import Workspaces


class AllOperations(Teaching, Recognition, Documents, Changes, Samples, State, Workspaces):
    """What HaleganadaClient and AsyncHaleganadaClient do."""

    @dual_method
    async def health(self, timeout_s: float = 2.0) -> str:
        """Return SERVING, NOT_SERVING or UNKNOWN. Raises Unavailable if no server answers."""
        return await self._connection.check_health(to_seconds(timeout_s, "timeout_s"))
