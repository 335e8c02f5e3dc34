"""What a training will do, before it does it: the pictures that its net will see, and its learning rate."""
