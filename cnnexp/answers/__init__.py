"""What a net answers and what is true: a file for each form, with its names, its storage, its words and its drawing."""
