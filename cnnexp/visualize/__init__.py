"""Arrays → pictures, one technique per file."""
