"""Who is logged in at the page, kept in its process or, where it runs in several, in a file that they share."""

from .logins import COOKIE, Sessions, sessions

__all__ = ["COOKIE", "Sessions", "sessions"]
