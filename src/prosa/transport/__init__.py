"""The doors: bytes into calls, events into bytes. Decides nothing."""
