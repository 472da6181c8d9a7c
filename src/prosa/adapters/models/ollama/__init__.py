"""Ollama's chat, on a machine of the operator's own."""
