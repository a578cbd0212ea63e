"""Networks that learn online with one workspace, each in a child process."""
