"""One file for each command: read the arguments, call one function, print."""
