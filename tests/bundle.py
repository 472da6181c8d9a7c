"""Programs for a browser, compiled for a test with what the web workspace has installed."""

import asyncio
import shutil
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[1] / "web"
NODE = shutil.which("node")

needs_workspace = pytest.mark.skipif(
    NODE is None or not (WEB / "node_modules" / "vite").is_dir(),
    reason="The web workspace is not set up here: run `make setup` with Node installed.",
)


async def bundled(folder: Path, **files: str) -> str:
    """One script, of `main.tsx` in the files (their names with `_` for the dot), which may use React and Prosa's
    packages."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    out = folder / "bundle.js"
    process = await asyncio.create_subprocess_exec(
        NODE or "node", WEB / "dev" / "bundle.mjs", folder / "main.tsx", out,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return out.read_text(encoding="utf-8")
