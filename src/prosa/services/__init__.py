"""The use cases: who may do what, in which order. Knows no driver and no HTTP."""
