"""How well a server follows the others of its database, in words."""

from __future__ import annotations

from haleganada_client.cli.formatting import format_count, format_duration
from haleganada_client.types import ReplicaStatus


def describe_replica(replica: ReplicaStatus) -> str:
    """Return a line for people."""
    if replica.current:
        return "one of several servers, knows what all have acknowledged"
    age = format_duration(replica.look_age_seconds)
    if replica.database_away:
        return f"the database is away, heard {age} ago; predicts with what it knew then, and goes on when that is back"
    if replica.behind_revisions:
        missing = format_count(replica.behind_revisions, "revision")
        return f"behind by {missing}, which it cannot follow; its log says why"
    return f"behind: it looked into the database {age} ago; it is very busy, or its log says why"
