/** Opens pages in a browser for the scripts of this folder; `BROWSER` names its program. */
import { chromium } from 'playwright-core';

/** A browser that is only to look at one page needs nothing from the network. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export function launch() {
  const executablePath = process.env.BROWSER;
  if (!executablePath) throw new Error('BROWSER must name the program of a Chromium browser.');
  // Its sandbox does not start for root, as in a container.
  const args = process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET;
  return chromium.launch({ executablePath, args });
}

/** Prints what a page complains about, a broken policy above all. */
export function listen(page, name) {
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) process.stdout.write(`${name}: ${message.text()}\n`);
  });
  page.on('pageerror', error => process.stdout.write(`${name}: ${error.stack}\n`));
}
