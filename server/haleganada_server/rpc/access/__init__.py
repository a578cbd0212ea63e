"""Who may make which call: the contract's rules, and what enforces them around every call."""
