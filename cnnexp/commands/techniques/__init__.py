"""The techniques of ``cnnexp visualize``, one a file: read arguments, call one function, print."""
