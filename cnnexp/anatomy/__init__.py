"""A net taken apart without data: what each layer makes, what it costs and how much of the picture it sees."""
