"""Where a browser or a client of this machine finds what listens on it."""


def address(host: str, port: int) -> str:
    """The base URL for a listener on `host`."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - all addresses are none that a browser could open
        return f"http://localhost:{port}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
