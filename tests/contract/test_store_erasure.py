"""Erasure on both databases: nothing of the user is left, everything of the others is, and the money adds up."""
