"""The small model that comes with Prosa, in a process of its own."""
