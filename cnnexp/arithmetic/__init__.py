"""One layer on paper: sizes, parameters and costs by their formulas, without any net or library."""
