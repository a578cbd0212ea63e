"""The few-shot head: probabilistic LDA on additive statistics, its adaptation to a script, and calibrated
probabilities.
"""
