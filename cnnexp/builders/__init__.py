"""Configuration → objects. The only place that turns a ``_target_`` into something that runs."""
