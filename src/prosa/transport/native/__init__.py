"""The native door: camelCase JSON, and runs as Server-Sent Events."""
