"""Where a server is and how to talk to it: settings, profiles of them, the channel, and why nobody answers."""
