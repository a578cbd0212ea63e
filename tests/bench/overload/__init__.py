"""More than a server can do: floods, slow callers, large pictures, a box that everybody uses."""
