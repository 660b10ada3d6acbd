// The newcomer's path: what the README says under "Use it", word by word, in a clean folder.
//
// Only the build is left out, and what the README prints in capitals (TOKEN, ID, ...) is what the command before it printed.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {test} from 'node:test';
import {newFolder, until} from './server.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const client = process.env.DX_SYNC;

/// The commands of a section of the README, one a line, without comments.
function commands(section) {
  const text = readFileSync(join(root, 'README.md'), 'utf8').split(`## ${section}\n`)[1].split('\n## ')[0];
  return [...text.matchAll(/^```\n([^]*?)^```$/gm)].flatMap(([, block]) => block.replace(/\\\n\s*/g, ' ').trim().split('\n'))
    .map((line) => line.replace(/\s+#.*$/, ''));
}

const freePort = () => new Promise((found) => {
  const probe = createServer().listen(0, '127.0.0.1', () => { const {port} = probe.address(); probe.close(() => found(port)); });
});

test('install, start, two devices, share, back up, restore', {skip: client ? false : 'DX_SYNC names no client'}, async () => {
  const home = newFolder();
  const port = await freePort();
  const running = [];
  const known = {};  // what stands for the words in capitals
  const env = {...process.env, HOME: home};
  const start = (line) => {
    const one = {line, said: '', child: spawn('bash', ['-c', `exec ${line}`], {env, cwd: home})};
    for (const stream of [one.child.stdout, one.child.stderr]) stream.on('data', (bytes) => { one.said += bytes; });
    running.push(one);
    return one;
  };
  try {
    for (const raw of commands('Use it')) {
      const line = raw.replace('./dev build && ', '')
        .replaceAll('build/release/bin/diaryx-syncd', process.env.DX_SYNCD).replaceAll('build/release/bin/diaryx-sync ', `${client} `)
        .replaceAll('4040', String(port)).replace(/\b(TOKEN2?|ID|CODE)\b/g, (word) => known[word] ?? word);
      if (line.includes('--listen')) {
        const server = start(line);
        await until('the server listens', () => server.said.includes('listening on'));
        assert.match(server.said, /sign in within a day with http/);
        continue;
      }
      if (line.includes(' watch ')) {
        const device = start(line);
        await until(`${line}: synced`, () => device.said.includes('synced'));
        if (running.length === 2) writeFileSync(join(home, 'notes/garden.md'), '# Garden\n');
        await until('the note is known', () => device.said.includes('garden.md'));
        continue;
      }
      const done = () => execFileSync('bash', ['-ec', line], {env, cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
      if (line.includes(' history ')) {  // a person is slower than the device
        await until('the note is in the history', () => { try { return /garden\.md: 1 stretch of work/.test(done()); } catch { return false; } });
        continue;
      }
      const out = done();
      if (line.includes('token create')) known[known.TOKEN ? 'TOKEN2' : 'TOKEN'] = out.trim();
      if (line.endsWith('/api/workspaces')) known.ID = JSON.parse(out)[0].id;
      if (line.includes('/share/sessions') && line.includes('POST')) known.CODE = JSON.parse(out).code;
    }
    assert.deepEqual(Object.keys(known), ['TOKEN', 'TOKEN2', 'ID', 'CODE'], 'the README has all steps');
    assert.equal(readFileSync(join(home, 'notes2/garden.md'), 'utf8'), '# Garden\n');
    // "then start the server on it": the devices find it where the other one was, and go on.
    const [server, one] = running;
    server.child.kill();
    await until('the device says what happens', () => /stopping or restarting; this device connects again/.test(one.said));
    start(server.line.replace('/sync-data', '/sync-data-2'));
    writeFileSync(join(home, 'notes/garden.md'), '# Garden\n\nPeas.\n');
    await until('the other device has it', () => readFileSync(join(home, 'notes2/garden.md'), 'utf8').includes('Peas.'), 60_000);
  } catch (error) {
    error.message += `\n${running.map(({line, said}) => `$ ${line}\n${said}`).join('\n')}`;
    throw error;
  } finally {
    await Promise.all(running.map(({child}) => child.exitCode ?? child.signalCode ?? new Promise((gone) => { child.once('exit', gone); child.kill(); })));
    rmSync(home, {recursive: true, force: true});
  }
});
