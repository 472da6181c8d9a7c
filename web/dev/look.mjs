/**
 * Takes pictures of the page in the states that are worth looking at, against a running mock server:
 * `BROWSER=chromium node dev/look.mjs http://127.0.0.1:8000/ pictures`.
 */
import { mkdir } from 'node:fs/promises';
import { launch, listen } from './browser.mjs';

const [address = 'http://127.0.0.1:8000/', folder = 'pictures'] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const browser = await launch();

async function visit(name, options, act) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  listen(page, name);
  const snap = async suffix => page.screenshot({ path: `${folder}/${name}-${suffix}.png` });
  await page.goto(address);
  await act(page, snap);
  await context.close();
}

async function ask(page, question) {
  await page.locator('.prosa-composer textarea').fill(question);
  await page.keyboard.press('Enter');
}

const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
const stop = page => page.getByRole('button', { name: /^(Stop|Parar)$/ });

await visit('light', {}, async (page, snap) => {
  await page.locator('.prosa-composer textarea').waitFor();
  await page.waitForTimeout(400);
  await snap('empty');
  await ask(page, 'How does streaming work?');
  await page.waitForTimeout(300);
  await snap('waiting');
  await page.waitForTimeout(4500);
  await snap('streaming');
  await stop(page).waitFor({ state: 'detached', timeout: 60_000 });
  await page.waitForTimeout(300);
  await snap('done');
  await ask(page, 'Now fail, please');
  await page.getByRole('alert').waitFor();
  await snap('error');
  await page.keyboard.press('ArrowUp');
  await page.waitForTimeout(200);
  await snap('editing');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'How does streaming work?' }).first().hover();
  await snap('hover');
  await page.getByRole('button', { name: 'More for “How does streaming work?”' }).first().click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await snap('delete');
});
await visit('dark', { colorScheme: 'dark', locale: 'pt-BR' }, async (page, snap) => {
  await ask(page, 'stream, think');
  await page.waitForTimeout(5000);
  await page.reload();
  await page.waitForTimeout(600);
  await snap('reloaded');
  await page.waitForTimeout(6000);
  await snap('streaming');
});
await visit('phone', PHONE, async (page, snap) => {
  await ask(page, 'How does streaming work?');
  await page.waitForTimeout(6000);
  await snap('streaming');
  await stop(page).click();
  await page.waitForTimeout(500);
  await snap('stopped');
  await page.getByRole('button', { name: 'Open the list of conversations' }).click();
  await page.waitForTimeout(300);
  await snap('drawer');
});
await visit('tools', PHONE, async (page, snap) => {
  await ask(page, 'Write a mail');
  await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
  await snap('leave');
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await stop(page).waitFor({ state: 'detached', timeout: 60_000 });
  await page.getByRole('button', { name: 'send_mail' }).click();
  await snap('done');
  await page.getByRole('button', { name: /^Model: / }).click();
  await snap('models');
});
await visit('writing', { locale: 'pt-BR' }, async (page, snap) => {
  await page.locator('input[type="file"]').setInputFiles([
    { name: 'nota.txt', mimeType: 'text/plain', buffer: Buffer.from('um pouco de texto') },
    { name: 'programa.exe', mimeType: 'application/octet-stream', buffer: Buffer.from([77, 90, 0, 1]) },
  ]);
  await page.locator('.prosa-chip[data-state="failed"]').waitFor();
  await snap('files');
  await page.locator('.prosa-composer textarea').press('/');
  await page.getByRole('option').first().waitFor();
  await snap('templates');
  await page.getByRole('option').last().click();
  await snap('template');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.locator('.prosa-scroller').focus();
  await page.keyboard.press('?');
  await snap('keys');
});
await visit('long', { colorScheme: 'dark' }, async (page, snap) => {
  await page.getByRole('link', { name: 'A long conversation' }).first().click();
  await page.waitForTimeout(800);
  await snap('end');
  await page.mouse.move(700, 400);
  await page.mouse.wheel(0, -3000);
  await page.waitForTimeout(500);
  await snap('up');
});
await browser.close();
