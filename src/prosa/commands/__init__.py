"""Groups of the command's words, one a file; `prosa.cli` mounts them."""
