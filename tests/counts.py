"""How often the long tests go round: few times on every run, in full when a soak is asked for."""

import os


def counts(full: int, reduced: int) -> int:
    """`full` with PROSA_SOAK=1 in the environment (and not PROSA_TEST_COUNTS=reduced), else `reduced`."""
    soak = os.environ.get("PROSA_SOAK") == "1" and os.environ.get("PROSA_TEST_COUNTS") != "reduced"
    return full if soak else reduced
