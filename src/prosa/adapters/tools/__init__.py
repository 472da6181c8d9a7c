"""The kinds of tools that the server itself calls."""
