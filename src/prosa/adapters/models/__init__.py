"""Those who answer: one folder a provider, and beside them what all of them share."""
