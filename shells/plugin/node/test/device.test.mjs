// Devices on real folders with the real server: what one does, the other has, byte for byte.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device } from '../device.mjs';
import { WASM } from './pretend_host.mjs';
import { startServer } from './server.mjs';

const HOST = new URL('../host.mjs', import.meta.url).pathname;

let home;
let server;
let url;
let token;
let workspaces = 0;

before(async () => {
  server = await startServer();
  ({ home, url, token } = server);
});

after(() => server.stop());

class RunningDevice {
  states = [];
  errors = '';

  constructor(folder, workspace, extra = []) {
    this.folder = folder;
    this.process = spawn('node', [HOST, '--plugin', WASM, '--folder', folder, '--server', url, '--token', token,
      '--workspace', workspace, ...extra]);
    let rest = '';
    this.process.stdout.on('data', chunk => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const { event, state } = JSON.parse(line);
        this.states.push(event === 'status' ? state : event);
      }
    });
    this.process.stderr.on('data', chunk => { this.errors += chunk; });
    this.ended = new Promise(resolve => this.process.on('exit', resolve));
  }

  get state() { return this.states.filter(state => !['started', 'offline', 'online'].includes(state)).at(-1); }
  signal(name) { this.process.kill(name); }
  async stop() {
    this.signal('SIGTERM');
    assert.equal(await this.ended, 0, this.errors);
  }
}

function write(folder, path, content) {
  const target = join(folder, path);
  fs.mkdirSync(dirname(target), { recursive: true });
  fs.writeFileSync(target, content);
}

function read(folder, path) { return fs.readFileSync(join(folder, path), 'utf8'); }

/** Digest by path. */
function manifest(folder) {
  const found = {};
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath ?? entry.path, entry.name));
    if (entry.isFile() && !path.startsWith('.diaryx')) {
      found[path] = createHash('sha256').update(fs.readFileSync(join(folder, path))).digest('hex');
    }
  }
  return Object.fromEntries(Object.entries(found).sort());
}

async function until(condition, what, seconds = 15) {
  const limit = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < limit) {
    try {
      if (condition()) return;
    } catch (error) {
      last = error;
    }
    await sleep(10);
  }
  assert.fail(`not in time: ${what}${last ? ` (${last.message})` : ''}`);
}

const running = [];

/** Two devices on one workspace; the first starts with `files`. */
async function pair(files) {
  const workspace = `w${++workspaces}`;
  const folders = ['a', 'b'].map(name => join(home, workspace, name));
  for (const folder of folders) fs.mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) write(folders[0], path, content);
  const a = new RunningDevice(folders[0], workspace);
  running.push(a);
  await until(() => a.state === 'synced', `the first device: ${a.states} ${a.errors}`);
  const b = new RunningDevice(folders[1], workspace);
  running.push(b);
  await until(() => b.state === 'synced', `the second device: ${b.states} ${b.errors}`);
  return { a, b, workspace };
}

afterEach(async () => {
  for (const device of running.splice(0)) await device.stop();
});

const same = ({ a, b }) => JSON.stringify(manifest(a.folder)) === JSON.stringify(manifest(b.folder));

const FILES = {
  'README.md': '---\ntitle: Root\ncontents:\n  - notes/a.md\n# a comment\n---\n\n# Root\n',
  'notes/a.md': 'one\ntwo\nthree é😀\nfour\nfive\n',
  'notes/broken.md': '---\ntitle: [unclosed\n---\nbody\n',
  'notes/latin1.md': Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a]),
  'windows.md': '---\r\ntitle: CRLF\r\n---\r\nline\r\n',
  'empty.md': '',
  'pic.bin': createHash('sha512').update('pic').digest(),
  'empty.bin': '',
};

describe('devices', () => {
  test('carry every kind of file as it is', async () => {
    const both = await pair(FILES);
    assert.deepEqual(manifest(both.b.folder), manifest(both.a.folder));
    assert.equal(Object.keys(manifest(both.b.folder)).length, Object.keys(FILES).length);
  });

  test('follow edits, new files, renames, moves and deletions in both directions', async () => {
    const both = await pair(FILES);
    const { a, b } = both;
    fs.appendFileSync(join(a.folder, 'notes/a.md'), 'six\n');
    await until(() => read(b.folder, 'notes/a.md').endsWith('six\n'), 'an edit of a');
    write(b.folder, 'new/deep/file.md', '# new\n');
    write(b.folder, 'new/blob.bin', Buffer.from([0, 1, 255]));
    await until(() => same(both), 'new files of b');
    fs.renameSync(join(a.folder, 'notes/a.md'), join(a.folder, 'notes/renamed.md'));
    fs.renameSync(join(b.folder, 'pic.bin'), join(b.folder, 'new/pic.bin'));
    await until(() => same(both) && fs.existsSync(join(b.folder, 'notes/renamed.md')) && fs.existsSync(join(a.folder, 'new/pic.bin')), 'renames');
    fs.rmSync(join(a.folder, 'empty.md'));
    fs.rmSync(join(b.folder, 'new/blob.bin'));
    await until(() => same(both) && !fs.existsSync(join(b.folder, 'empty.md')) && !fs.existsSync(join(a.folder, 'new/blob.bin')), 'deletions');
  });

  test('keep what both wrote at once', async () => {
    const both = await pair(FILES);
    const { a, b } = both;
    for (let round = 0; round < 5; ++round) {
      fs.writeFileSync(join(a.folder, 'notes/a.md'), read(a.folder, 'notes/a.md').replace('one', `one a${round}`));
      fs.writeFileSync(join(b.folder, 'notes/a.md'), read(b.folder, 'notes/a.md').replace('five', `five b${round}`));
      await until(() => same(both) && read(a.folder, 'notes/a.md').includes(`a${round}`) && read(a.folder, 'notes/a.md').includes(`b${round}`),
        `round ${round}: ${JSON.stringify([read(a.folder, 'notes/a.md'), read(b.folder, 'notes/a.md')])}`);
    }
  });

  test('go on after one was offline, with edits on both sides', async () => {
    const both = await pair(FILES);
    const { a, b } = both;
    a.signal('SIGUSR1');
    await until(() => a.states.includes('offline') && a.state === 'reconnecting', 'offline');
    fs.writeFileSync(join(a.folder, 'notes/a.md'), read(a.folder, 'notes/a.md').replace('one', 'ONE'));
    write(a.folder, 'made-offline.md', 'a\n');
    fs.writeFileSync(join(b.folder, 'notes/a.md'), read(b.folder, 'notes/a.md').replace('five', 'FIVE'));
    fs.rmSync(join(b.folder, 'windows.md'));
    await sleep(600);
    assert.ok(!fs.existsSync(join(b.folder, 'made-offline.md')));
    a.signal('SIGUSR2');
    await until(() => same(both) && fs.existsSync(join(b.folder, 'made-offline.md')) && !fs.existsSync(join(a.folder, 'windows.md')), 'back in step');
    const text = read(a.folder, 'notes/a.md');
    assert.ok(text.includes('ONE') && text.includes('FIVE'), text);
  });

  test('catch up with what happened while they were not running', async () => {
    const both = await pair(FILES);
    const { a, b, workspace } = both;
    running.length = 0;
    await a.stop();
    await b.stop();
    fs.appendFileSync(join(a.folder, 'notes/a.md'), 'from a\n');
    fs.writeFileSync(join(b.folder, 'notes/a.md'), `from b\n${read(b.folder, 'notes/a.md')}`);
    fs.renameSync(join(a.folder, 'windows.md'), join(a.folder, 'dos.md'));
    fs.rmSync(join(b.folder, 'empty.bin'));
    for (const folder of [a.folder, b.folder, a.folder]) {
      const once = new RunningDevice(folder, workspace, ['--once', '--timeout', '20']);
      assert.equal(await once.ended, 0, once.errors);
    }
    assert.deepEqual(manifest(a.folder), manifest(b.folder));
    assert.equal(read(a.folder, 'notes/a.md'), `from b\n${FILES['notes/a.md']}from a\n`);
    assert.ok(fs.existsSync(join(b.folder, 'dos.md')) && !fs.existsSync(join(a.folder, 'empty.bin')));
  });

  test('join with the same files on both sides without doubling anything', async () => {
    const workspace = `w${++workspaces}`;
    const folders = ['a', 'b'].map(name => join(home, workspace, name));
    for (const folder of folders) for (const [path, content] of Object.entries(FILES)) write(folder, path, content);
    const devices = folders.map(folder => new RunningDevice(folder, workspace));
    running.push(...devices);
    await until(() => devices.every(({ state }) => state === 'synced'), `both: ${devices.map(({ states, errors }) => states + errors)}`);
    await sleep(300);
    for (const folder of folders) {
      assert.deepEqual(Object.keys(manifest(folder)), Object.keys(FILES).sort());
      assert.equal(read(folder, 'notes/a.md'), FILES['notes/a.md']);
    }
  });

  test('work with the older SDK as well', async () => {
    const { a, b, workspace } = await pair({ 'a.md': 'one\n' });
    const folder = join(home, workspace, 'c');
    fs.mkdirSync(folder);
    const c = new RunningDevice(folder, workspace, ['--sdk', '1.0.3']);
    running.push(c);
    await until(() => c.state === 'synced' && fs.existsSync(join(folder, 'a.md')), 'the third device');
    fs.appendFileSync(join(folder, 'a.md'), 'two\n');
    await until(() => [a, b].every(device => read(device.folder, 'a.md') === 'one\ntwo\n'), 'an edit of the third device');
  });

  test('send what a command changed, and write it to their files', async () => {
    const workspace = `w${++workspaces}`;
    const folder = join(home, workspace, 'a');
    write(folder, 'x.md', '---\ntitle: X\n---\nhello world\n');
    let state;
    const a = new Device({ plugin: WASM, folder, server: url, token, workspace },
      { status: status => { state = status.state; }, log() {} });
    await a.start();
    await until(() => state === 'synced', 'the first device');
    const other = join(home, workspace, 'b');
    fs.mkdirSync(other);
    const b = new RunningDevice(other, workspace);
    running.push(b);
    await until(() => b.state === 'synced', 'the second device');
    const both = text => () => [folder, other].every(each => read(each, 'x.md') === text);
    await a.command('SetBodyContent', { doc_name: 'x.md', content: 'hello brave world\n' });
    await until(both('---\ntitle: X\n---\nhello brave world\n'), 'the body');
    await a.command('SetCrdtFile', { path: 'x.md', metadata: { ...await a.command('GetCrdtFile', { path: 'x.md' }), title: 'New' } });
    await until(() => /^---\ntitle: New\n---\n/.test(read(other, 'x.md')) && read(folder, 'x.md') === read(other, 'x.md'), 'the title');
    await sleep(500);  // long enough for a second device to bring it in once more
    assert.equal(read(folder, 'x.md'), '---\ntitle: New\n---\nhello brave world\n');
    await a.stop();
  });

  test('say clearly what is wrong', async () => {
    const folder = join(home, 'wrong');
    const ended = args => {
      const child = spawn('node', [HOST, '--plugin', WASM, '--folder', folder, ...args]);
      let text = '';
      child.stderr.on('data', chunk => { text += chunk; });
      return new Promise(resolve => child.on('exit', code => resolve([code, text])));
    };
    assert.deepEqual(await ended(['--server', url]), [2, '--token is missing. Run with --help to see how.\n']);
    const [code, text] = await ended(['--server', url, '--token', 'wrong', '--workspace', 'x', '--once']);
    assert.equal(code, 1);
    assert.match(text, /HTTP 401/);
  });
});
