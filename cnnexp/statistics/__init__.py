"""What numbers that scatter say: runs repeated with other seeds, rounds of a race, two nets on the same pictures."""
