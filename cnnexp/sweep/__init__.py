"""Many runs from one command line, searched for the best: a study, its trials, and the processes they run in."""
