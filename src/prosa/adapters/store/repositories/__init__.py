"""What is asked of the database, one noun a file: statements, their plans, and the ports these serve."""
