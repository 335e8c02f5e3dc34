"""The data sets, one per file, and what they share. Nothing here knows of Lightning or of the config."""
