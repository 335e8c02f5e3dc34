"""One run under way: callbacks that record, stop and resume it, and the function that leads through it."""
