"""Which files are films, or pictures that move, by their names; nothing is imported for it."""

from __future__ import annotations

FILM_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv"})
"""Of films, which PyAV decodes."""
MOVING_SUFFIXES = frozenset({".gif", ".webp", ".tif", ".tiff", ".apng"})
"""Of picture files that may hold several frames, which Pillow decodes."""
CLIP_SUFFIXES = FILM_SUFFIXES | MOVING_SUFFIXES
