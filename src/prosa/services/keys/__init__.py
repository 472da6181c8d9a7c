"""Providers' keys: what the operator does with them, and how models that are being used hear of it."""
