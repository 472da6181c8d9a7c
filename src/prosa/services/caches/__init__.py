"""What is kept of what models said, and when it may be said again."""
