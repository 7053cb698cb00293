"""The main job: logistic regression learnt by gradient, on the tutorial's points and on real data.

tutorial    the per-sample loop that learners read, and where its formula overflows
real        data sets, a stable loss, mini-batches: binary and softmax
pictures    what was learnt, as PNGs
command     `python -m adjoint demo`: its options, and the run from end to end
terminal    progress bars and optional libraries
"""
