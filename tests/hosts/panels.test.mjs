// The panels as people use them: in Chromium, in a sandboxed frame, on a plugin that runs and a workspace that has a past.
//
// Pictures of what was seen go to build/screenshots; a test cannot say whether they are beautiful.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '../server/server.mjs';
import { NO_CHROMIUM, chromiumPath, launch } from './chromium.mjs';
import { nodeHosts } from './hosts.mjs';
import { PanelPage } from './panel_page.mjs';

const PICTURES = new URL('../../build/screenshots/', import.meta.url).pathname;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const GARDEN = `---
title: The garden
part_of: README.md
---
# The garden

The **rhubarb** is up. Water the plants every day and look after the *cold frame*.

## Beds

1. Carrots and onions
2. Beans, two rows

## To do

- [x] order seeds
- [ ] prune the apple tree
- dig the bed by the wall

> Plant trees you will never sit under.
`;
const FILES = {
  'README.md': '---\ntitle: Root\ncontents:\n  - notes/garden.md\n---\nEverything.\n',
  'notes/garden.md': GARDEN,
  'notes/rhubarb and other perennials that like the shade.md': '# Rhubarb\n\nPull, never cut.\n',
  'journal/2026-11-20.md': '# Friday\n\nRain.\n',
  'images/bed.png': Buffer.from([137, 80, 78, 71, 0, 255]),
};
const HOSTILE = 'notes/<img src=x onerror="document.title=\'gone\'">.md';

describe('panels', { skip: chromiumPath ? false : NO_CHROMIUM }, () => {
  const [host] = nodeHosts();
  let server;
  let browser;
  let a;
  let b;
  const panels = [];

  async function until(what, condition, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    let last = '';
    while (Date.now() < end) {
      for (const each of [a, b]) await each?.status();
      try {
        if (await condition()) return;
      } catch (error) {
        last = ` (${error.message})`;
      }
      await sleep(20);
    }
    const states = await Promise.all([a, b].map(async each => `${each.name}: ${JSON.stringify(await each.status())} ${(await each.list()).length} files`));
    assert.fail(`waited in vain: ${what}${last}\n${states.join('\n')}`);
  }
  const same = async () => JSON.stringify(await a.all()) === JSON.stringify(await b.all());
  const edit = async (device, path, from, to) => {
    const text = await device.read(path);
    assert.ok(text.includes(from), `${from} in ${text}`);
    await device.write(path, text.replace(from, to));
    await until('an edit to arrive', same);
  };
  // It is noon for the devices, whatever the time is: an hour ago was today.
  const toNoon = new Date().setHours(12, 0, 0, 0) - Date.now();
  const ago = (ms, devices = [a, b]) => Promise.all(devices.map(device => device.set({ clock_shift: toNoon - ms })));

  // A past of nine days, on two devices.
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    server = await Server.start();
    browser = await launch();
    const user = { server_url: server.http, auth_token: server.token() };
    a = await host.open('laptop', { ...user, device_name: 'Laptop' });
    await ago(9 * DAY, [a]);
    await a.init(user);
    for (const [path, content] of Object.entries(FILES)) await a.put(path, content);
    const { remote_id } = await a.command('LinkWorkspace', { name: 'notes', remote_id: null, workspace_root: '.' });
    await until('the first device', async () => (await a.status()).state === 'synced');
    b = await host.open('tablet', { ...user, device_name: 'Tablet' });
    await ago(9 * DAY, [b]);
    await b.init(user);
    await b.command('LinkWorkspace', { name: 'notes', remote_id, workspace_root: '.' });
    await until('the second device', same);
    await ago(3 * DAY);
    await edit(b, 'notes/garden.md', 'Beans, two rows', 'Beans, three rows\n3. Peas by the fence');
    await ago(DAY + 2 * HOUR);
    await edit(a, 'notes/garden.md', 'Water the plants every day', 'Water the seedlings every other day');
    await a.write('journal/2026-11-24.md', '# Tuesday\n\nFirst frost. The pots came in.\n');
    await until('the new note', same);
    await a.command('CreateSnapshot', { name: 'before the frost' });
    await ago(5 * HOUR);
    await edit(b, 'notes/garden.md', '[ ] prune', '[x] prune');
    await edit(b, 'journal/2026-11-20.md', 'Rain.', 'Rain, then sun.');
    await b.write(HOSTILE, 'harmless\n');
    await until('the odd name', same);
    await ago(HOUR);
    await edit(a, 'notes/garden.md', '- dig the bed by the wall\n', '- dig the bed by the wall\n- mend the gate\n');
    await a.remove('journal/2026-11-20.md');
    await until('the deletion', same);
    await ago(0);
  });

  after(async () => {
    for (const panel of panels) await panel.close();
    await a?.close();
    await b?.close();
    await browser?.close();
    host.close();
    await server?.end();
  });

  async function open(name, options = {}) {
    const html = (await a.call('get_component_html', JSON.stringify({ component_id: `sync.${name}` }))).toString();
    const panel = await PanelPage.open(browser, html, { answer: (command, params) => a.response(command, params), ...options });
    panels.push(panel);
    return panel;
  }
  const ENTRY = { path: 'notes/garden.md', title: 'The garden', content: '' };
  const calm = panel => assert.deepEqual(panel.problems, []);
  // Everything that can be pressed or filled in says what it is.
  const named = panel => panel.frame.evaluate(() => [...document.querySelectorAll('button, input, [role=tab]')]
    .filter(each => !(each.getAttribute('aria-label') ?? each.labels?.[0]?.textContent ?? each.textContent).trim()).map(each => each.outerHTML));
  const wide = panel => panel.frame.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const row = (panel, text) => panel.frame.locator('.entry', { hasText: text });

  test('history shows who did what, and what changed, word by word', async () => {
    const panel = await open('history', { entry: ENTRY });
    await panel.frame.waitForSelector('.entry');
    const text = await panel.text();
    for (const word of ['History', 'Today', 'Yesterday', 'This device', 'Tablet', 'Added', 'notes/garden.md']) assert.ok(text.includes(word), `${word} in ${text}`);
    assert.equal(await panel.frame.locator('.entry').count(), 5);
    await panel.shot(`${PICTURES}history-light.png`);
    await panel.click(row(panel, 'Tablet').first());
    await panel.frame.waitForSelector('ins');
    assert.deepEqual(await panel.frame.locator('del').allTextContents(), ['removed: [ ]']);
    assert.deepEqual(await panel.frame.locator('ins').allTextContents(), ['added: [x]']);
    await panel.shot(`${PICTURES}history-changes-light.png`);
    await panel.press('Back');
    await panel.click(panel.tab('Workspace'));
    await row(panel, '2026-11-20').first().waitFor();
    await panel.shot(`${PICTURES}history-workspace-light.png`);
    await panel.click(row(panel, '2 more files').first());
    await panel.frame.getByText('changed', { exact: true }).first().waitFor();
    await panel.shot(`${PICTURES}history-files-light.png`);
    await panel.click(panel.frame.locator('.item', { hasText: '2026-11-20' }));
    await panel.frame.locator('ins', { hasText: 'then' }).waitFor();
    calm(panel);
    assert.deepEqual(await named(panel), []);
  });

  test('a note of then can be read, and nothing that stands in it runs', async () => {
    const panel = await open('history', { entry: ENTRY });
    await panel.click(row(panel, 'Added'));
    await panel.frame.waitForSelector('article');
    assert.equal(await panel.frame.locator('article h3').first().innerText(), 'The garden');
    assert.ok((await panel.text()).includes('Water the plants every day'));
    await panel.shot(`${PICTURES}history-then-light.png`);
    await panel.send({ type: 'plugin-event', event: 'entry-changed', data: { path: HOSTILE, title: 'x', content: '' } });
    await panel.frame.getByText(HOSTILE).waitFor();
    assert.equal(await panel.frame.evaluate(() => document.title), 'History');
    assert.equal(await panel.frame.locator('img').count(), 0);
    calm(panel);
  });

  test('one change goes back on every device, by keyboard alone, and comes again with Undo', async () => {
    const panel = await open('history', { entry: ENTRY, theme: 'dark', width: 280 });
    await panel.frame.waitForSelector('.entry');
    await panel.shot(`${PICTURES}history-dark-narrow.png`);
    const press = key => panel.page.keyboard.press(key);
    await panel.frame.locator('.entry').first().focus();
    await press('End');
    await press('Enter');  // Added
    await panel.frame.waitForSelector('article');
    await panel.tab('Then').focus();
    await press('ArrowRight');
    await panel.frame.waitForSelector('.diff');
    await panel.shot(`${PICTURES}history-since-dark-narrow.png`);
    const hunks = panel.frame.getByRole('button', { name: 'Put this back' });
    assert.ok(await hunks.count() >= 1);
    await hunks.first().focus();
    await press('Enter');
    await panel.frame.waitForSelector('.ask');
    assert.equal(await panel.frame.evaluate(() => document.activeElement.textContent), 'Restore');
    await panel.shot(`${PICTURES}history-ask-dark-narrow.png`);
    await press('Escape');
    assert.equal(await panel.frame.locator('.ask').count(), 0);
    assert.equal(await panel.frame.evaluate(() => document.activeElement.textContent), 'Put this back');
    const before = await b.read('notes/garden.md');
    await press('Enter');
    await panel.frame.waitForSelector('.ask');
    await press('Enter');
    await panel.frame.waitForSelector('.toast');
    await until('the restore on the other device', async () => (await b.read('notes/garden.md')).includes('Water the plants every day'));
    assert.notEqual(await b.read('notes/garden.md'), before);
    await panel.shot(`${PICTURES}history-undo-dark-narrow.png`);
    await panel.button('Undo').focus();
    await press('Enter');
    await until('the undo on the other device', async () => (await b.read('notes/garden.md')) === before);
    assert.equal(await wide(panel), 0);
    await press('Escape');
    await panel.frame.waitForSelector('.entry');
    calm(panel);
  });

  test('a deletion is a row of its own, from which the file comes back', async () => {
    const panel = await open('history', { entry: ENTRY });
    await panel.click(panel.tab('Workspace'));
    await row(panel, 'Deleted: 2026-11-20').waitFor();
    await panel.shot(`${PICTURES}history-deleted-light.png`);
    await panel.click(row(panel, 'Deleted: 2026-11-20'));
    await panel.frame.getByText('The file was deleted here.').waitFor();
    await panel.press('Bring it back');
    await panel.frame.getByText('comes back').waitFor();
    await panel.shot(`${PICTURES}history-bring-back-light.png`);
    await panel.press('Restore');
    await until('the file on the other device', async () => (await b.read('journal/2026-11-20.md')) === '# Friday\n\nRain, then sun.\n');
    await panel.press('Undo');
    await until('the file is gone again', async () => (await b.read('journal/2026-11-20.md')) === null);
    calm(panel);
  });

  test('snapshots are made by name, show what changed since, and bring files back', async () => {
    const panel = await open('snapshots');
    await panel.frame.waitForSelector('.item');
    await panel.press('Create');
    await panel.frame.getByText('Give it a name').waitFor();
    await panel.frame.locator('#name').focus();
    await panel.page.keyboard.type('Tidy garden');
    await panel.page.keyboard.press('Enter');
    await panel.frame.getByText('keeps 6 files').waitFor();
    await panel.frame.locator('.item', { hasText: 'Tidy garden' }).waitFor();
    await panel.shot(`${PICTURES}snapshots-light.png`);
    await panel.click(panel.frame.locator('.item', { hasText: 'before the frost' }));
    await panel.frame.getByText('removed').first().waitFor();
    const text = await panel.text();
    for (const word of ['garden', 'changed', '2026-11-20', 'removed', 'created']) assert.ok(text.includes(word), `${word} in ${text}`);
    await panel.click(panel.frame.getByLabel('Choose journal/2026-11-20.md'));
    await panel.frame.getByRole('button', { name: 'Restore 1 file' }).waitFor();
    await panel.shot(`${PICTURES}snapshot-light.png`);
    await panel.press('Restore 1 file');
    await panel.frame.waitForSelector('.ask');
    await panel.press('Restore');
    await until('the file on the other device', async () => (await b.read('journal/2026-11-20.md')) === '# Friday\n\nRain.\n');
    await panel.frame.waitForSelector('.toast');
    assert.deepEqual(await named(panel), []);
    calm(panel);
  });

  test('a restore stands in the history, and can be undone from there', async () => {
    const panel = await open('history', { entry: ENTRY });
    await panel.click(panel.tab('Workspace'));
    await panel.click(row(panel, 'Restored: 2026-11-20').first());
    await panel.press('Undo this restore');
    await until('the file is gone again', async () => (await b.read('journal/2026-11-20.md')) === null);
    await panel.frame.getByText('Taken back').waitFor();
    calm(panel);
  });

  test('a snapshot can be saved as a zip, by the host or by the page itself', async () => {
    let given = null;
    const panel = await open('snapshots', { theme: 'dark', width: 280, action: action => { given = action; return { success: true, data: null }; } });
    await panel.frame.waitForSelector('.item');
    await panel.shot(`${PICTURES}snapshots-dark-narrow.png`);
    await panel.click(panel.frame.locator('.item', { hasText: 'before the frost' }));
    await panel.frame.getByRole('button', { name: 'Download zip' }).waitFor();
    await panel.shot(`${PICTURES}snapshot-dark-narrow.png`);
    await panel.press('Download zip');
    await panel.frame.waitForSelector('.toast');
    assert.equal(given.type, 'download');
    assert.match(given.payload.file_name, /before the frost.*\.zip$/);
    assert.equal(Buffer.from(given.payload.data, 'base64').subarray(0, 2).toString(), 'PK');
    assert.equal(await wide(panel), 0);
    calm(panel);

    const alone = await open('snapshots');
    await alone.frame.waitForSelector('.item');
    await alone.click(alone.frame.locator('.item', { hasText: 'before the frost' }));
    await alone.frame.getByRole('button', { name: 'Download zip' }).waitFor();
    await alone.frame.evaluate(() => { window.saved = []; HTMLAnchorElement.prototype.click = function () { window.saved.push(this.download); }; });
    await alone.press('Download zip');
    await alone.frame.waitForSelector('.toast');
    assert.match((await alone.frame.evaluate(() => window.saved))[0], /before the frost.*\.zip$/);
    // Such a frame never learns whether its host let the download through, and does not say that it did.
    assert.match(await alone.text(), /this app does not let its panels download/);
    await alone.shot(`${PICTURES}snapshot-zip-light.png`);
  });

  test('names change and go', async () => {
    const panel = await open('snapshots');
    await panel.frame.waitForSelector('.item');
    await panel.click(panel.frame.locator('.item', { hasText: 'Tidy garden' }));
    await panel.press('Rename');
    await panel.page.keyboard.type('Winter');
    await panel.page.keyboard.press('Enter');
    await panel.frame.getByRole('heading', { name: 'Winter' }).waitFor();
    await panel.press('Delete');
    await panel.click('.ask .main');
    await until('it is gone', async () => !(await a.command('ListSnapshots')).snapshots.some(({ name }) => name === 'Winter' || name === 'Tidy garden'));
    calm(panel);
  });

  test('the colours of the host are taken, and those that are none are left', async () => {
    const panel = await open('history', { entry: ENTRY, cssVars: { '--background': 'rgb(10, 20, 30)', '--foreground': '210 40% 98%', '--border': 'nonsense', '--radius': '3px' } });
    await panel.frame.waitForSelector('.entry');
    const style = () => panel.frame.evaluate(() => { const { color, backgroundColor } = getComputedStyle(document.body); return [color, backgroundColor]; });
    assert.deepEqual(await style(), ['rgb(248, 250, 252)', 'rgb(10, 20, 30)']);
    assert.notEqual(await panel.frame.evaluate(() => getComputedStyle(document.querySelector('.tabs button')).color), '');
    await panel.send({ type: 'theme-update', theme: 'dark', cssVars: { '--background': '#111111' } });
    await panel.frame.waitForFunction(() => document.documentElement.classList.contains('dark'));
    assert.equal((await style())[1], 'rgb(17, 17, 17)');
    calm(panel);
  });

  test('until the host names its theme, that of the system is used', async () => {
    const panel = await open('snapshots', { theme: 'dark', silent: true });
    await panel.frame.waitForFunction(() => document.documentElement.classList.contains('dark'));
    await panel.send({ type: 'init', theme: 'light', cssVars: {}, entry: null });
    await panel.frame.waitForFunction(() => !document.documentElement.classList.contains('dark'));
  });

  test('a host that fails is told apart from a past that is empty', async () => {
    const panel = await open('history', { entry: ENTRY, answer: () => ({ success: false, error: 'The plugin is away.' }) });
    await panel.frame.getByText('The plugin is away.').first().waitFor();
    const without = await open('history', { answer: (command, params) => a.response(command, params) });
    await without.frame.getByText('No file is open').waitFor();
    await without.shot(`${PICTURES}history-empty-light.png`);
    calm(panel);
  });

  test('a picture that was replaced is not called the same', async () => {
    await a.write('images/bed.png', Buffer.from([137, 80, 78, 71, 0, 254]));
    await until('the picture', same);
    const panel = await open('history', { entry: { path: 'images/bed.png', title: 'bed', content: '' } });
    await panel.frame.waitForSelector('.entry');
    await panel.click(panel.frame.locator('.entry').last());
    await panel.click(panel.tab('Since then'));
    await panel.frame.getByText('The whole file was replaced.').waitFor();
    calm(panel);
  });

  test('a change is put back as it was seen, or not at all', async () => {
    const panel = await open('history', { entry: ENTRY });
    await panel.click(row(panel, 'Added'));
    await panel.click(panel.tab('Since then'));
    await panel.frame.getByRole('button', { name: 'Put this back' }).first().waitFor();
    const before = await panel.frame.locator('.card').count();
    await edit(b, 'notes/garden.md', '# The garden', '# Our garden');
    const now = await a.read('notes/garden.md');
    await panel.press('Put this back');
    await panel.frame.getByText('has changed since it was shown').waitFor();
    await panel.frame.locator('ins', { hasText: 'Our' }).waitFor();
    assert.ok(await panel.frame.locator('.card').count() >= before);
    assert.equal(await a.read('notes/garden.md'), now);
    await edit(b, 'notes/garden.md', '# Our garden', '# The garden');
    calm(panel);
  });

  test('changes that are held are shown and answered', async () => {
    for (let i = 0; i < 70; ++i) await a.write(`many/${i}.md`, `note ${i}\n`);
    await until('many files', same);
    for (let i = 0; i < 70; ++i) await a.remove(`many/${i}.md`);
    await until('held', async () => (await a.status()).label === 'Changes held');
    const panel = await open('snapshots');
    await panel.frame.getByText('disappeared at once').waitFor();
    await panel.shot(`${PICTURES}held-light.png`);
    await panel.press('Bring them back');
    await until('they are back', async () => (await a.read('many/69.md')) === 'note 69\n' && (await a.status()).label !== 'Changes held');
    await panel.frame.waitForFunction(() => !document.getElementById('held').textContent);
    calm(panel);
  });
});
