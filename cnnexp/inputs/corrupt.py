"""The error for a file of a data set whose content is not what it should be."""

from __future__ import annotations

from cnnexp.errors import InputError


class CorruptFile(InputError):
    """A file that is there but broken. A downloaded one is fetched again once; a user's own is named and left alone."""
