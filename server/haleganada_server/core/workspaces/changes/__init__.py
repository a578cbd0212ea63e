"""The changes that a workspace's log can hold, and how they are committed: checked and written as one draft for each
group.

A change is a function of a draft: the open transaction and the head so far. It first checks everything that can be
wrong with it and only then writes, so that a refused one leaves no trace in the transaction that it shares with others.
"""
