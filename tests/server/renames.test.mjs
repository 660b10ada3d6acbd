// Two devices and y-websocket editors, while a note is renamed and its name is used anew.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {WebsocketProvider} from 'y-websocket';
import * as Y from 'yjs';
import {EditorSocket} from './editor_socket.mjs';
import {Server, newFolder, until} from './server.mjs';

const client = process.env.DX_SYNC;

test('editors follow notes by their paths, and what is typed late reaches its note', {skip: client ? false : 'DX_SYNC names no client'}, async () => {
  const server = await Server.start();
  const home = newFolder();
  const running = [];
  const editors = [];
  try {
    const folders = [];
    for (const name of ['one', 'two']) {
      const folder = join(home, name);
      mkdirSync(folder);
      execFileSync(client, ['link', folder, '--server', server.http, '--token', server.token(), '--workspace', 'notes'], {stdio: 'ignore'});
      const device = spawn(client, ['watch', folder]);
      let said = '';
      device.stdout.on('data', (bytes) => { said += bytes; });
      device.stderr.resume();
      running.push(device);
      folders.push(folder);
      await until('a device is in step', () => said.includes('synced'));
    }
    const [one, two] = folders;
    const has = (folder, path, text) => existsSync(join(folder, path)) && readFileSync(join(folder, path), 'utf8') === text;
    const token = server.token();
    const workspace = (await server.request(token, 'GET', '/api/workspaces'))[0].id;
    const open = (path) => {
      const doc = new Y.Doc();
      const provider = new WebsocketProvider(`${server.ws}/yjs`, `${workspace}/${path}`, doc, {WebSocketPolyfill: EditorSocket, disableBc: true, params: {token}});
      editors.push(provider, doc);
      return doc.getText('body');
    };

    writeFileSync(join(one, 'a.md'), 'the first note\n');
    await until('both have it', () => has(two, 'a.md', 'the first note\n'));
    const early = open('a.md');
    await until('the editor reads it', () => early.toString() === 'the first note\n');
    renameSync(join(one, 'a.md'), join(one, 'b.md'));
    await until('it is renamed on both', () => has(two, 'b.md', 'the first note\n') && !existsSync(join(two, 'a.md')));
    writeFileSync(join(one, 'a.md'), 'another note under the old name\n');
    await until('both have that', () => has(two, 'a.md', 'another note under the old name\n'));

    const late = open('a.md');
    await until('a new editor finds the note of this name', () => late.toString() === 'another note under the old name\n');
    late.insert(0, 'typed: ');
    await until('the devices have it', () => folders.every((folder) => has(folder, 'a.md', 'typed: another note under the old name\n')));
    early.insert(0, 'late: ');
    await until('what is typed in the first note goes to its new name', () => folders.every((folder) => has(folder, 'b.md', 'late: the first note\n')));
    assert.ok(has(two, 'a.md', 'typed: another note under the old name\n'));

    renameSync(join(one, 'b.md'), join(one, 'c.md'));
    await until('it is renamed once more', () => has(two, 'c.md', 'late: the first note\n') && !existsSync(join(two, 'b.md')));
    await server.restart();
    const left = open('b.md');
    await until('a name that was left leads to the note', () => left.toString() === 'late: the first note\n');
    left.insert(0, 'Late? ');
    await until('and what is typed there reaches it', () => folders.every((folder) => has(folder, 'c.md', 'Late? late: the first note\n')));
  } finally {
    for (const editor of editors) editor.destroy();
    await Promise.all(running.map((device) => new Promise((gone) => { device.once('exit', gone); device.kill(); })));
    await server.end();
    rmSync(home, {recursive: true, force: true});
  }
});
