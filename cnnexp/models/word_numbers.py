"""The numbers of words as ``cnnexp.inputs.tokens`` gives them, for nets that embed or count them."""

PADDING = 0
"""Fills a text up behind its end."""
FIRST_WORD = 2
"""The most frequent word's; below it is the number of all words that have none."""
