"""Records of runs → tables, exports and learning curves. Nothing in here imports torch."""
