"""Small tools that know nothing of chat."""
