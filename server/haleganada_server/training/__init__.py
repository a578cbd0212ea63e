"""Everything that trains: the embedder (pretrain), models on data sets (fit), and networks online. Needs the `train`
extra, except evaluation.
"""
