"""What we ask of the world: Protocols and nothing else."""
