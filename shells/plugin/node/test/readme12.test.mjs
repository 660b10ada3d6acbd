// The build for hosts with nothing beyond the twelve functions of the README: notes stay in step, attachments stay where they are.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Device } from '../device.mjs';
import { sdkVersions } from '../plugin.mjs';
import { WASM, WASM12 } from './pretend_host.mjs';
import { startServer } from './server.mjs';

const TWELVE = ['host_log', 'host_read_file', 'host_list_files', 'host_file_exists', 'host_write_file', 'host_delete_file',
  'host_write_binary', 'host_emit_event', 'host_storage_get', 'host_storage_set', 'host_get_timestamp', 'host_ws_request'];

let server;
const running = [];
before(async () => { server = await startServer(); });
after(() => server.stop());
afterEach(async () => { for (const device of running.splice(0)) await device.stop(); });

async function newWorkspace(name) {
  const response = await fetch(`${server.url}/api/workspaces`, {
    method: 'POST', body: JSON.stringify({ name }),
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${server.token}` },
  });
  return (await response.json()).id;
}

async function until(condition, what) {
  const limit = Date.now() + 20_000;
  while (Date.now() < limit) {
    if (condition()) return;
    await sleep(20);
  }
  assert.fail(`not in time: ${what}`);
}

async function open(folder, workspaceId, options) {
  const state = {};
  const device = new Device({ folder, server: server.url, token: server.token, workspaceId, ...options },
    { status: status => Object.assign(state, status), log() {} });
  running.push(device);
  await device.start();
  await until(() => state.state === 'synced', `${folder}: ${JSON.stringify(state)}`);
  return device;
}

describe('twelve host functions', () => {
  for (const sdk of sdkVersions) {
    test(`are enough to keep notes in step, with SDK ${sdk}`, async () => {
      const workspaceId = await newWorkspace(`w-${sdk}`);
      const [a, b] = ['a', 'b'].map(name => join(server.home, sdk, name));
      for (const folder of [a, b]) fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(join(a, 'n.md'), '---\ntitle: N\n---\none\n');
      fs.writeFileSync(join(a, 'pic.bin'), Buffer.from([0, 255]));
      await open(a, workspaceId, { plugin: WASM12, sdk, onlyFunctions: TWELVE });
      await open(b, workspaceId, { plugin: WASM, sdk });
      const read = folder => fs.readFileSync(join(folder, 'n.md'), 'utf8');
      await until(() => fs.existsSync(join(b, 'n.md')), 'the note');
      fs.appendFileSync(join(b, 'n.md'), 'two\n');
      await until(() => read(a).endsWith('two\n'), 'an edit of the other');
      fs.appendFileSync(join(a, 'n.md'), 'three\n');
      await until(() => read(b).endsWith('three\n'), 'an edit back');
      fs.writeFileSync(join(b, 'other.bin'), 'x');
      fs.writeFileSync(join(b, 'm.md'), 'm\n');
      await until(() => fs.existsSync(join(a, 'm.md')), 'a new note');
      fs.rmSync(join(b, 'm.md'));
      await until(() => !fs.existsSync(join(a, 'm.md')), 'a deleted note');
      assert.ok(fs.existsSync(join(a, 'pic.bin')) && !fs.existsSync(join(b, 'pic.bin')) && !fs.existsSync(join(a, 'other.bin')));
    });
  }
});
