"""Who publishes the keys of tokens, over HTTP."""
