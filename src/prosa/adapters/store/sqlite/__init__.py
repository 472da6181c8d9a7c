"""The store on one SQLite file: one process, one writer thread, reader threads."""
