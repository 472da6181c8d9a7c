"""Ways to those who are told of alerts."""
