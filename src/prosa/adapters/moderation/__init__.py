"""Who judges what may be said."""
