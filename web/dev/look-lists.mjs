/**
 * Takes pictures of the page around the conversation, and says what axe finds in each, against a running mock
 * server: `BROWSER=chromium node dev/look-lists.mjs http://127.0.0.1:8000/ pictures`.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { launch, listen } from './browser.mjs';

const [address = 'http://127.0.0.1:8000/', folder = 'pictures'] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
await mkdir(folder, { recursive: true });
const browser = await launch();

async function visit(name, options, act) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  listen(page, name);
  const snap = async suffix => {
    await page.screenshot({ path: `${folder}/${name}-${suffix}.png` });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const { id, nodes } of violations) {
      process.stdout.write(`${name}-${suffix}: ${id}\n${nodes.map(({ html }) => `  ${html}\n`).join('')}`);
    }
  };
  await page.goto(address);
  await page.getByRole('link', { name: 'Planning the garden' }).waitFor({ state: 'attached' });
  await act(page, snap);
  await context.close();
}

const EN = {
  search: 'Search all conversations',
  filters: /^Filters/,
  more: 'More for “Planning the garden”',
  transfer: 'Export and import',
  import: 'Import',
  export: 'Export',
  tickets: 'Tickets',
  newTicket: 'New ticket',
  open: 'Open the list of conversations',
};
const PT = {
  search: 'Buscar em todas as conversas',
  filters: /^Filtros/,
  more: 'Mais para “Planning the garden”',
  transfer: 'Exportar e importar',
  import: 'Importar',
  export: 'Exportar',
  tickets: 'Tickets',
  newTicket: 'Novo ticket',
  open: 'Abrir a lista de conversas',
};

async function tour(page, snap, texts, isPhone = false) {
  const drawer = () => (isPhone ? page.getByRole('button', { name: texts.open }).click() : null);
  await drawer();
  await page.waitForTimeout(300);
  await snap('list');
  await page.getByRole('link', { name: 'Planning the garden' }).hover();
  await page.getByRole('button', { name: texts.more }).click();
  await page.waitForTimeout(150);
  await snap('menu');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: texts.filters }).click();
  await page.getByRole('combobox').nth(2).selectOption('dates');
  await page.waitForTimeout(150);
  await snap('filters');
  await page.getByRole('combobox').nth(2).selectOption('any');
  await page.getByRole('button', { name: texts.filters }).click();
  await page.getByRole('textbox', { name: texts.search }).fill('heat death');
  await page.locator('mark').first().waitFor();
  await page.waitForTimeout(300);
  await snap('search');
  await page.locator('.app-hit a').last().click();
  await page.locator('[data-target]').waitFor();
  await page.waitForTimeout(500);
  await snap('jump');
  await drawer();
  await page.getByRole('textbox', { name: texts.search }).fill('');
  await page.getByRole('button', { name: texts.transfer }).click();
  await snap('export');
  await page.getByRole('button', { name: texts.export, exact: true }).click();
  await page.waitForTimeout(700);
  await snap('exporting');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').getByRole('button').first().click();
  await page.getByText(texts.import, { exact: true }).click();
  const conversations = [1, 2, 3].map(n => ({ id: `x${n}`, title: n === 2 ? null : `Imported ${n}` }));
  const buffer = Buffer.from(JSON.stringify({ conversations }));
  await snap('import');
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'a.json', mimeType: 'application/json', buffer });
  await page.waitForTimeout(1200);
  await snap('imported');
  await page.getByRole('dialog').getByRole('button').last().click();
  await page.getByRole('link', { name: texts.tickets }).click();
  await page.waitForTimeout(300);
  await snap('tickets');
  await page.getByRole('button', { name: texts.newTicket }).click();
  await snap('new-ticket');
  await page.getByRole('dialog').getByRole('textbox').first().fill('99/b');
  await page.getByRole('dialog').getByRole('textbox').last().fill('The stream of the fountain is too fast.');
  await page.keyboard.press('Tab');
  await page.getByRole('dialog').getByRole('button').last().click();
  await page.getByText('What travels').first().waitFor();
  await snap('ticket');
}

const PHONE = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
const [only] = process.argv.slice(4);
const visits = {
  light: () => visit('light', {}, (page, snap) => tour(page, snap, EN)),
  dark: () => visit('dark', { colorScheme: 'dark', locale: 'pt-BR' }, (page, snap) => tour(page, snap, PT)),
  phone: () => visit('phone', PHONE, (page, snap) => tour(page, snap, EN, true)),
};
for (const [name, run] of Object.entries(visits)) if (!only || only === name) await run();
await browser.close();
