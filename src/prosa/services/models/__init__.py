"""Which models there are, what they cost and how much they take."""
