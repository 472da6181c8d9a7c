"""A model that follows a script, for tests and for trying Prosa without any model."""
