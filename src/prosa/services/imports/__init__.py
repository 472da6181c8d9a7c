"""Conversations from files of this and of other programs."""
