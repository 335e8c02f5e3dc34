"""One LightningModule base, and one short file for each task."""
