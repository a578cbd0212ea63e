"""Learning one drawing after another with the trainable networks: a workspace's log in, recognisers out.

What is known is a function of the log, the start, the configuration and the seed, so that everything here can be
thrown away and made again. Needs the `train` extra.
"""
