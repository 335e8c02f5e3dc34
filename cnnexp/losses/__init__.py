"""What is minimised: one idea a file, with its paper and equation."""
