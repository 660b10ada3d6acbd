// The panels on answers that the test gives: what no workspace of a test has, or has only now and then.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { panel as html } from '../../tools/panels/embed.mjs';
import { NO_CHROMIUM, chromiumPath, launch } from './chromium.mjs';
import { PanelPage } from './panel_page.mjs';

const NOON = new Date().setHours(12, 0, 0, 0);
const group = (id, more = {}) => ({
  first_id: id, last_id: id, from: NOON, until: NOON, origin: 'local', files: ['a.md'], removed: [], device_id: 'd', device_name: 'Desk',
  updates: 1, inserted: 1, deleted: 0, note: null, ...more,
});
const SNAPSHOT = { update_id: 7, name: 'before', time: NOON, automatic: false };
const ANSWERS = {
  GetSyncStatus: () => ({ state: 'synced', label: 'Synced', detail: null, progress: null }),
  GetTimeline: ({ known_id }) => (known_id === 9 ? { last_id: 9, unchanged: true } : { last_id: 9, more: false, device_id: 'd', device_name: 'Desk', groups: [group(9)] }),
  ListSnapshots: () => ({ snapshots: [SNAPSHOT], last_id: 9 }),
};

describe('the views of the panels', { skip: chromiumPath ? false : NO_CHROMIUM }, () => {
  let browser;
  const panels = [];
  before(async () => { browser = await launch(); });
  after(async () => {
    for (const panel of panels) await panel.close();
    await browser?.close();
  });

  /** `answers` are functions from the parameters to the data, or throw the error, by command. */
  async function open(name, answers = {}, options = {}) {
    const all = { ...ANSWERS, ...answers };
    const answer = async (command, params) => {
      try {
        return { success: true, data: await all[command](params) };
      } catch (error) {
        return { success: false, error: error.message };
      }
    };
    const panel = await PanelPage.open(browser, html(name), { answer, entry: { path: 'a.md' }, ...options });
    panels.push(panel);
    return panel;
  }
  const focused = panel => panel.frame.evaluate(() => document.activeElement.textContent);

  // Opens the note of the history as it was, and gives the text of the blocks that it is shown in.
  async function blocks(text) {
    const panel = await open('History', { GetFileAt: () => ({ path: 'a.md', exists: true, text, text_known: true, binary: null }), GetFileDiff: () => ({}) });
    await panel.frame.waitForSelector('.entry');
    return panel.frame.evaluate(each => [...reading(each).querySelectorAll('h3, p, li, td, pre')].map(block => block.textContent), text);
  }

  test('a note reads as it was written: no letter of a word is a mark', async () => {
    assert.deepEqual(await blocks('the snake_case_name, `a_b_c` and _this_ **that**, __both__, 5 *6 and 7 * 8\n'),
      ['the snake_case_name, a_b_c and this that, both, 5 *6 and 7 * 8']);
  });

  test('an item that goes on in a second line is one item, and a table has cells', async () => {
    assert.deepEqual(await blocks('- one item\n  that goes on\n- [x] two\n    - below\n'), ['one item that goes on', '\u2611 two', 'below']);
    assert.deepEqual(await blocks('Before\n| a | b |\n|---|:-:|\n| 1 | _2_ |\nAfter\n'), ['Before', 'a', 'b', '1', '2', 'After']);
  });

  test('a note of a million lines is read at once', async () => {
    const panel = await open('History');
    const took = await panel.frame.evaluate(() => {
      const began = performance.now();
      reading('\n'.repeat(1e6));
      reading('word\n\n'.repeat(20000));
      return performance.now() - began;
    });
    assert.ok(took < 5000, `${took} ms`);
  });

  test('a file that is another one without a line that differs is not called the same', async () => {
    let diff = { hunks: [], words: [], metadata: [], existed_before: true, exists_after: true, same: false, to_id: 9 };
    const panel = await open('History', { GetFileDiff: () => diff });
    await panel.click('.entry');
    await panel.click(panel.tab('Since then'));
    await panel.frame.getByText('The whole file was replaced.').waitFor();
    diff = { ...diff, exists_after: false };
    await panel.click(panel.tab('Changes'));
    await panel.click(panel.tab('Since then'));
    await panel.frame.getByText('has been deleted since').waitFor();
    diff = { ...diff, exists_after: true, same: true };
    await panel.click(panel.tab('Changes'));
    await panel.click(panel.tab('Since then'));
    await panel.frame.getByText('Nothing has changed since').waitFor();
  });

  test('the search shows the files that it finds, and goes on doing so when the list is drawn anew', async () => {
    const files = Array.from({ length: 20 }, (_, i) => ({ path: `notes/${i}.md`, kind: 'changed' }));
    const panel = await open('Snapshots', { GetChangedFiles: () => ({ files }), GetFileDiff: () => ({ hunks: [], metadata: [], existed_before: true, exists_after: true, same: true }) });
    await panel.click('.item');
    const search = panel.frame.getByLabel('Search files');
    const seen = () => panel.frame.locator('li.item:visible').count();
    await search.fill('notes 1');
    assert.equal(await seen(), 11);
    await panel.click('li.item:visible > button');
    await panel.press('Back');
    await search.waitFor();
    assert.equal(await search.inputValue(), 'notes 1');
    assert.equal(await seen(), 11);
    await search.fill('nowhere');
    await panel.frame.getByText('No file has such a name.').waitFor();
    await search.fill('');
    assert.equal(await seen(), 20);
  });

  test('what a restore has begun cannot be cancelled, and the focus stays in the view', async () => {
    let done;
    const panel = await open('Snapshots', {
      GetChangedFiles: () => ({ files: [{ path: 'a.md', kind: 'changed' }] }),
      PreviewRestore: () => ({ files: [{ path: 'a.md', step: 'change', hunks: [] }], skipped: [] }),
      RestoreHistory: () => new Promise(resolve => { done = () => resolve({ files: [{ path: 'a.md' }], restore_id: 'r', problems: [] }); }),
      UndoRestore: () => ({ files: [], problems: [] }),
    });
    await panel.click('.item');
    await panel.press('Restore everything');
    await panel.press('Restore');
    await panel.frame.waitForFunction(() => document.querySelector('.ask .no').disabled);
    await panel.page.keyboard.press('Escape');
    assert.equal(await panel.frame.locator('.ask').count(), 1);
    done();
    await panel.frame.waitForSelector('.toast');
    await panel.frame.waitForFunction(() => !document.querySelector('.ask'));
    assert.equal(await focused(panel), 'before');
    await panel.button('Undo').focus();
    await panel.page.keyboard.press('Enter');
    await panel.frame.getByText('nothing left to take back').waitFor();
    assert.equal(await focused(panel), 'before');
  });

  test('a change that is another one by now is shown anew, not put back', async () => {
    const asked = [];
    const panel = await open('History', {
      GetFileDiff: () => ({
        hunks: [{ before_line: 1, after_line: 1, before_count: 1, after_count: 1, lines: [] }], words: [{ kind: 'removed', text: 'a\n' }, { kind: 'added', text: `${asked.length}\n` }],
        metadata: [], existed_before: true, exists_after: true, same: false, to_id: 40 + asked.length,
      }),
      PreviewRestore: params => { asked.push(params); throw new Error('The file has changed since it was shown.'); },
    });
    await panel.click('.entry');
    await panel.click(panel.tab('Since then'));
    await panel.press('Put this back');
    await panel.frame.getByText('has changed since').waitFor();
    assert.deepEqual(asked, [{ update_id: 9, paths: ['a.md'], hunks: [0], to_id: 40 }]);
    await panel.frame.locator('ins', { hasText: '1' }).waitFor();
  });

  test('as many held changes are named as there are, even after a first answer that failed', async () => {
    let asked = 0;
    const files = Array.from({ length: 1000 }, (_, i) => ({ path: `${i}.md`, direction: 'outgoing', kind: 'deletion' }));
    const panel = await open('Snapshots', {
      GetSyncStatus: () => ({ state: 'synced', label: 'Changes held', detail: '2,000 files', progress: null }),
      GetHeldChanges: () => { if (++asked === 1) throw new Error('busy'); return { outgoing: 2000, incoming: 0, files }; },
    });
    await panel.frame.getByText('2,000 files disappeared at once').waitFor({ timeout: 15_000 });
    await panel.click('summary');
    await panel.frame.getByText('and 1,800 more files').waitFor();
  });

  test('pressing Enter twice makes one snapshot and no reproach', async () => {
    const made = [];
    const panel = await open('Snapshots', { CreateSnapshot: async ({ name }) => { made.push(name); await sleep(300); return { files: 1 }; } });
    const input = panel.frame.locator('#name');
    await input.fill('twice');
    await input.press('Enter');
    await input.press('Enter');
    await panel.frame.waitForSelector('.toast');
    await input.press('x');
    assert.deepEqual(made, ['twice']);
    assert.equal(await panel.frame.locator('#name-problem').innerText(), '');
  });

  test('earlier rows take the focus when they were asked for', async () => {
    const groups = Array.from({ length: 120 }, (_, i) => group(200 - i, { files: ['a.md'], device_name: `Device ${i}`, device_id: `d${i}` }));
    const panel = await open('History', { GetTimeline: ({ limit }) => ({ last_id: 9, more: limit < 120, device_id: 'd', device_name: 'Desk', groups: groups.slice(0, limit) }) });
    await panel.frame.waitForSelector('.entry');
    await panel.button('Show earlier').focus();
    await panel.page.keyboard.press('Enter');
    await panel.frame.waitForFunction(() => document.activeElement.matches('.entry') && document.activeElement.textContent.includes('Device 50'));
  });

  test('text that runs from right to left begins at the right, line by line', async () => {
    const arabic = '\u0645\u0631\u062d\u0628\u0627';
    const words = [{ kind: 'same', text: `${arabic} (a)\n` }, { kind: 'removed', text: 'left\n' }];
    const hunks = [{ before_line: 1, after_line: 1, before_count: 2, after_count: 1, lines: [] }];
    const text = `# ${arabic}\n\n- ${arabic}\n\nleft\n`;
    const panel = await open('History', {
      GetFileDiff: () => ({ hunks, words, metadata: [], existed_before: true, exists_after: true, same: false, to_id: 9 }),
      GetFileAt: () => ({ path: 'a.md', exists: true, text, text_known: true, binary: null }),
    });
    // Where the words of an element begin, and whether that is nearer to its left or its right edge.
    const sides = selector => panel.frame.evaluate(each => {
      const walker = document.createTreeWalker(document.querySelector(each), NodeFilter.SHOW_TEXT);
      const found = [];
      while (walker.nextNode()) {
        const { parentElement, textContent } = walker.currentNode;
        if (parentElement.matches('.hidden') || !textContent.trim()) continue;
        const range = document.createRange();
        range.setStart(walker.currentNode, 0);
        range.setEnd(walker.currentNode, 1);
        const letter = range.getBoundingClientRect();
        const { left, right } = document.querySelector(each).getBoundingClientRect();
        found.push(letter.left - left < right - letter.right ? 'left' : 'right');
      }
      return found;
    }, selector);
    await panel.click('.entry');
    await panel.frame.waitForSelector('.diff');
    assert.deepEqual(await sides('.diff'), ['right', 'left']);
    await panel.click(panel.tab('Then'));
    await panel.frame.waitForSelector('article');
    assert.deepEqual(await sides('article'), ['right', 'right', 'left']);
  });

  test('a name of many words leaves most of a narrow page to what it names', async () => {
    const name = 'a name that somebody typed without a thought of narrow sidebars '.repeat(4).trim();
    const panel = await open('History', { GetFileDiff: () => ({ hunks: [], metadata: [], same: true }) }, { entry: { path: `${name}.md` }, width: 280 });
    await panel.click('.entry');
    const heading = panel.frame.locator('h1');
    assert.equal(await heading.getAttribute('title'), name);
    const { height } = await panel.frame.locator('.head').boundingBox();
    assert.ok(height < 720 / 4, `${height} of 720`);
  });

  test('a status that cannot be had is named, and its cause stands below', async () => {
    const panel = await open('History', { GetSyncStatus: () => { throw new Error('The app has no plugin of that name.'); } });
    await panel.frame.getByText('The app has no plugin of that name.').waitFor();
    assert.equal(await panel.frame.locator('.status').innerText(), 'Status unavailable');
  });

  test('the cause of an error stands in the page, and tabs name what they show', async () => {
    const panel = await open('History', { GetSyncStatus: () => ({ state: 'error', label: 'Sync error', detail: 'The server took the workspace away.', progress: null }) });
    await panel.frame.getByText('The server took the workspace away.').waitFor();
    await panel.frame.waitForSelector('.entry');
    const named = await panel.frame.evaluate(() => [...document.querySelectorAll('[aria-controls]')].every(each => document.getElementById(each.getAttribute('aria-controls'))));
    assert.ok(named);
  });

  test('zoomed far in, most of the page is left to read', async () => {
    const panel = await open('History', { GetFileAt: () => ({ path: 'a.md', exists: true, text: 'word '.repeat(2000), text_known: true, binary: null }), GetFileDiff: () => ({ hunks: [], metadata: [], same: true }) }, { width: 320, height: 256 });
    await panel.click('.entry');
    await panel.click(panel.tab('Then'));
    await panel.frame.waitForSelector('article');
    await panel.frame.evaluate(() => scrollTo(0, 600));
    const covered = await panel.frame.evaluate(() => ['.head', '.dock'].map(name => document.querySelector(name).getBoundingClientRect())
      .reduce((sum, { top, bottom }) => sum + Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)), 0));
    assert.ok(covered < 256 / 3, `${covered} of 256`);
  });
});
