// History, restore, snapshots and held waves on real folders with the real server.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device } from '../device.mjs';
import { WASM } from './pretend_host.mjs';
import { startServer } from './server.mjs';

let server;
let workspaces = 0;
const running = [];

before(async () => { server = await startServer(); });
after(() => server.stop());
afterEach(async () => { for (const device of running.splice(0)) await device.stop(); });

async function until(condition, what, seconds = 20) {
  const limit = Date.now() + seconds * 1000;
  let last = '';
  while (Date.now() < limit) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = ` (${error.message})`;
    }
    await sleep(20);
  }
  assert.fail(`not in time: ${what}${last}`);
}

class Place {
  constructor(workspace, name) {
    this.folder = join(server.home, workspace, name);
    this.workspace = workspace;
    this.name = name;
    fs.mkdirSync(this.folder, { recursive: true });
  }
  async open() {
    const { home, url, token } = server;
    assert.ok(home);
    this.device = new Device({ plugin: WASM, folder: this.folder, server: url, token, workspace: this.workspace, deviceName: this.name },
      { status: status => { this.status = status; }, log() {} });
    running.push(this.device);
    await this.device.start();
    await until(() => this.status?.state === 'synced', `${this.name}: ${JSON.stringify(this.status)}`);
    return this;
  }
  async close() {
    running.splice(running.indexOf(this.device), 1);
    await this.device.stop();
  }
  write(path, content) { fs.writeFileSync(join(this.folder, path), content); }
  read(path) { return fs.readFileSync(join(this.folder, path), 'utf8'); }
  has(path) { return fs.existsSync(join(this.folder, path)); }
  remove(path) { fs.rmSync(join(this.folder, path)); }
  count() { return fs.readdirSync(this.folder).filter(name => !name.startsWith('.')).length; }
  command(name, params) { return this.device.command(name, params); }
}

async function pair(files) {
  const workspace = `h${++workspaces}`;
  const a = new Place(workspace, 'laptop');
  for (const [path, content] of Object.entries(files)) a.write(path, content);
  await a.open();
  const b = await new Place(workspace, 'tablet').open();
  return [a, b];
}

test('a version, a hunk and a deleted file come back on every device, and go again when that is undone', async () => {
  const [a, b] = await pair({ 'n.md': 'one\n\n2\n3\n4\n5\n6\n7\n8\nnine\n', 'gone.md': 'still here\n', 'pic.bin': Buffer.from([0, 1, 2]) });
  const { last_id: then } = await a.command('GetTimeline');
  assert.ok((await a.command('GetTimeline', { limit: 2 ** 32 })).groups.length > 0, 'more than a number of the module holds');
  a.write('n.md', 'ONE\n\n2\n3\n4\n5\n6\n7\n8\nNINE\n');
  await until(() => b.read('n.md').startsWith('ONE'), 'the edit');
  a.remove('gone.md');
  a.write('pic.bin', Buffer.from([9, 9]));
  await until(() => !b.has('gone.md') && fs.readFileSync(join(b.folder, 'pic.bin')).length === 2, 'the deletion');

  const shown = await b.command('GetTimeline', { path: 'n.md' });
  assert.ok(shown.groups.some(({ device_name, origin }) => device_name === 'laptop' && origin !== 'local'), JSON.stringify(shown.groups));
  const diff = await a.command('GetFileDiff', { path: 'n.md', from_id: then });
  assert.equal(diff.hunks.length, 2);
  assert.ok(diff.words.some(({ kind, text }) => kind === 'added' && text === 'ONE'));

  // One hunk, on the device that made it.
  const done = await a.command('RestoreHistory', { update_id: then, paths: ['n.md'], hunks: [1] });
  assert.deepEqual(done.problems, []);
  await until(() => b.read('n.md') === 'ONE\n\n2\n3\n4\n5\n6\n7\n8\nnine\n', `the hunk: ${b.read('n.md')}`);

  // Everything; somebody types meanwhile.
  b.write('n.md', b.read('n.md').replace('5\n', '5, typed meanwhile\n'));
  await until(() => a.read('n.md').includes('meanwhile'), 'the other edit');
  await a.command('RestoreVersion', { doc_name: 'workspace', update_id: then });
  await until(() => b.has('gone.md') && b.read('n.md').startsWith('one'), 'the restore');
  await until(() => fs.readFileSync(join(b.folder, 'pic.bin')).equals(Buffer.from([0, 1, 2])), 'the picture');
  assert.equal(b.read('gone.md'), 'still here\n');
  await until(() => a.read('n.md') === b.read('n.md'), 'the same on both');

  await a.close();
  await a.open();
  const { restores } = await a.command('ListRestores');
  assert.equal(restores.length, 2);
  const undone = await a.command('UndoRestore', { restore_id: restores[0].restore_id });
  assert.deepEqual(undone.problems, []);
  await until(() => !b.has('gone.md') && b.read('n.md').startsWith('ONE') && b.read('n.md').includes('meanwhile'), `the undo: ${b.read('n.md')}`);
  const history = await a.command('GetHistory', { doc_name: 'workspace', limit: 50 });
  assert.ok(history.length > 4 && history.every(({ update_id, timestamp }) => update_id > 0 && timestamp > 1.6e12));
  assert.ok((await a.command('GetFileHistory', { file_path: 'n.md', limit: 50 })).length > 2);
});

test('a snapshot shows what changed since, and brings some files back', async () => {
  const [a, b] = await pair({ 'a.md': 'A\n', 'b.md': 'B\n', 'pic.bin': Buffer.from([1, 2, 3, 255]) });
  const made = await a.command('CreateSnapshot', { name: 'before' });
  assert.equal(made.files, 3);
  a.write('a.md', 'A2\n');
  a.write('b.md', 'B2\n');
  await until(() => b.read('a.md') === 'A2\n' && b.read('b.md') === 'B2\n', 'the edits');
  const { files } = await a.command('GetChangedFiles', { from_id: made.update_id });
  assert.deepEqual(files.map(({ path, kind }) => [path, kind]), [['a.md', 'changed'], ['b.md', 'changed']]);
  const { files: then } = await a.command('GetFilesAt', { update_id: made.update_id });
  assert.deepEqual(then, [{ path: 'a.md', binary: false }, { path: 'b.md', binary: false }, { path: 'pic.bin', binary: true }]);
  const zip = await a.command('PackSnapshot', { update_id: made.update_id });
  assert.deepEqual([zip.files, zip.missing], [3, []]);
  assert.ok(Buffer.from(zip.data, 'base64').includes('A\n') && !Buffer.from(zip.data, 'base64').includes('A2'));
  await a.command('RestoreHistory', { update_id: made.update_id, paths: ['a.md'] });
  await until(() => b.read('a.md') === 'A\n', 'one file');
  assert.equal(b.read('b.md'), 'B2\n');
});

test('a wave of deletions waits, can be taken back, and can be let through', async () => {
  const files = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`n${i}.md`, `note ${i}\n`]));
  const [a, b] = await pair({ ...files, 'kept.md': 'kept\n' });
  const wipe = () => { for (const path of Object.keys(files)) a.remove(path); };
  wipe();
  // Hosts tell of one file at a time, so the first few have gone before it is seen that there is no end to it.
  await until(async () => (await a.command('GetHeldChanges')).outgoing >= 55, 'held here');
  assert.equal((await a.command('GetSyncStatus')).label, 'Changes held');
  assert.ok(b.count() >= 56);
  await a.command('UndoHeldChanges');
  await until(() => a.count() === 61 && b.count() === 61, 'all back, those too');

  wipe();
  await until(async () => (await a.command('GetHeldChanges')).outgoing >= 55, 'held again');
  await a.command('ReleaseHeldChanges');
  await until(async () => (await b.command('GetHeldChanges')).incoming >= 55, 'held there');
  assert.ok(b.count() >= 56);
  await b.command('ReleaseHeldChanges');
  await until(() => b.count() === 1, 'gone there too');
  assert.deepEqual(await b.command('GetHeldChanges'), { outgoing: 0, incoming: 0, files: [] });
});
