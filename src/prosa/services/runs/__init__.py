"""Runs from their start to their end: started, executed, told to readers, stopped, recovered."""
