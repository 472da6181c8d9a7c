"""The tools that models may call: which there are, and whether what a model says fits them."""
