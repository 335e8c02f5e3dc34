"""``cnnexp bench``: cnnexp and what others train with, side by side on this machine."""
