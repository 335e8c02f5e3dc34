"""Runs as one page for a browser, which holds everything it shows and loads nothing."""
