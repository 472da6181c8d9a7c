"""What seals secrets at rest: master keys, from the settings or from a file of their own, and AES-GCM."""
