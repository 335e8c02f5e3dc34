"""The run record: a folder that plain tools can read, written atomically and read without trusting it. No torch."""
