"""What axe finds in a page as it stands: every rule of WCAG 2.2 A and AA, and axe's own good practice."""

from playwright.async_api import Page
from tests.bundle import WEB

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"

_FINDINGS = """() => axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)))"""


async def findings(page: Page) -> list[str]:
    """One sentence for each; none where the workspace, and so axe, is not installed."""
    if not AXE.is_file():
        return []
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(_FINDINGS)
    return found
