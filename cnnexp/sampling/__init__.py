"""Which training samples come in which batch of which epoch: a file for each way to draw them."""
