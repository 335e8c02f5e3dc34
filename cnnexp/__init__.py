"""cnnexp: experiments with convolutional networks from the command line."""

__version__ = "0.1.0"
