"""The options that every command shares, given before its name."""

from __future__ import annotations

import shlex
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GlobalOptions:
    """The shared options; None where an option was not given."""

    server: str | None
    workspace: str | None
    token: str | None
    timeout: float | None
    json: bool
    verbose: bool

    def command_line(self, *words: str, workspace: str | None = None) -> str:
        """Return the command line that reaches the same server, and the same workspace unless another is given.

        It repeats only options that were given: environment variables will still be set. It never shows the token.
        """
        workspace = workspace or self.workspace
        server_option = ["--server", self.server] if self.server else []
        workspace_option = ["-w", workspace] if workspace else []
        return shlex.join(["haleganada", *server_option, *workspace_option, *words])
