"""Who calls, and what they may do: roles, tokens, and how a token is recognized."""
