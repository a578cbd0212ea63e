"""Takes a page in any script apart: its ink, its lines, their parts, and all groups of parts that may be glyphs.

What the groups are is not decided here; core/reading/taught does that by what a workspace was taught.
"""
