"""Augmentation of whole batches, on the batch's own device."""
