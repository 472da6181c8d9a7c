"""`python -m prosa` is the command `prosa`."""

from prosa.cli import main

main()
