/** Opens pages in the installed Chromium for the scripts of this folder. */
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** Prints what a page complains about, a broken policy above all. */
export function listen(page, name) {
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) process.stdout.write(`${name}: ${message.text()}\n`);
  });
  page.on('pageerror', error => process.stdout.write(`${name}: ${error.stack}\n`));
}
