"""Where the bytes of users' files are kept: a folder."""
