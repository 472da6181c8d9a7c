"""What was used, and what an answer would take."""
