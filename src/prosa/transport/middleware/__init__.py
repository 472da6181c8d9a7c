"""What stands before every door, one ASGI class a file."""
