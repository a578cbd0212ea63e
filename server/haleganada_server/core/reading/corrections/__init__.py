"""Correcting pages of taught scripts: what people say is kept in a journal, taught to the workspace, and read again."""
