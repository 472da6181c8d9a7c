"""What is asked of the database, one noun a file: statements, the plans made of them, and the ports they serve."""
