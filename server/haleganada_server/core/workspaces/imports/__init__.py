"""Importing a file: all of its items are taught or none, each once however often the file is imported; refused items
are listed.

The items are encoded in batches, beside everybody's calls, and wait on disk. Then one transaction teaches them all, so
that others wait for the writing alone, and a server that is stopped or killed has taught the whole file or nothing.
"""
