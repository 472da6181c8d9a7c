"""The door of ticket desks: seed 004's WebSocket, and REST beside it."""
