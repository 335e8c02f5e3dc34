"""Probabilities averaged over views of a picture or over nets, and what that gains and costs."""
