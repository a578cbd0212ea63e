"""Online learning: trainable networks that learn a workspace's log one drawing after another.

What a network knows is a function of the log, the initial model, the configuration and the seed, so that everything
here can be thrown away and rebuilt. Needs the `train` extra.
"""
