import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WASM, wasmtimeHosts } from './hosts.mjs';
import { scenarios } from './scenarios.mjs';

const [host] = wasmtimeHosts();
scenarios(host);

const SYNC = process.env.DX_SYNC ?? new URL('../../build/release/bin/diaryx-sync', import.meta.url).pathname;
const run = (program, ...words) => spawnSync(program, words, { encoding: 'utf8' });

describe('diaryx-sync plugin inspect', () => {
  test('prints manifest, imports and size', { skip: host.skip }, () => {
    const { status, stdout, stderr } = run(SYNC, 'plugin', 'inspect', WASM, '--json');
    assert.equal(status, 0, stderr);
    const { size_bytes, manifest, imports, exports } = JSON.parse(stdout);
    assert.deepEqual([size_bytes, manifest.id], [statSync(WASM).size, 'diaryx.sync']);
    assert.ok(imports.some(({ module, name }) => module === 'extism:host/user' && name === 'host_ws_request'));
    assert.ok(exports.includes('handle_binary_message'));
    const people = run(SYNC, 'plugin', 'inspect', WASM).stdout;
    assert.match(people, /^Plugin +Sync \(diaryx\.sync\), version /);
    assert.match(people, new RegExp(`^Size +${size_bytes} bytes$`, 'm'));
  });

  test('says what is wrong with a file', { skip: host.skip }, () => {
    const { status, stderr } = run(SYNC, 'plugin', 'inspect', new URL(import.meta.url).pathname);
    assert.equal(status, 1);
    assert.match(stderr, /not a WebAssembly module/);
    assert.match(run(SYNC, 'plugin', 'inspect', '/nowhere.wasm').stderr, /cannot open/);
  });

  test('says what to do when it was built without a host', () => {
    const folder = mkdtempSync(join(tmpdir(), 'diaryx-alone-'));
    const alone = join(folder, 'diaryx-sync');
    assert.ok(existsSync(SYNC), `there is no client at ${SYNC}: make it with ./dev build`);
    copyFileSync(SYNC, alone);
    const { status, stderr } = run(alone, 'plugin', 'inspect', WASM);
    rmSync(folder, { recursive: true });
    assert.equal(status, 1);
    assert.match(stderr, /no host for plugins, because libextism was not there .* \.\/dev build/);
  });
});
