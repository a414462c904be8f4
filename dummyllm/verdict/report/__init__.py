"""Tells a verdict to people and to machines: one form a file, each a pure function of the verdict and its run.

JSON is the verdict itself: `judge.Verdict` is a struct. The others also tell the story of a finding, which the verdict
only has by the numbers of its entries; so they need the run.
"""
