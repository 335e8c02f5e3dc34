"""From the words on the command line to one checked, resolved configuration. Nothing here imports torch."""
