"""What goes into a net: a file for each kind of input, with how it is stored, prepared, read from a file and shown."""
