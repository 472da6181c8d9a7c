"""The door for programs that want one call and no object: models asked directly, and a default Prosa."""
