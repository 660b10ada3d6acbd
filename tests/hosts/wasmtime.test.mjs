import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

  test('says why a module cannot be loaded, in one sentence', { skip: host.skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'diaryx-inspect-'));
    const name = value => [value.length, ...Buffer.from(value)];
    const section = (id, bytes) => [id, bytes.length, ...bytes];
    const HEAD = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const importing = (...words) => [...HEAD, ...section(1, [1, 0x60, 0, 0]), ...section(2, [1, ...words.flatMap(name), 0, 0])];
    const cases = {
      empty: [[], 'cannot be loaded: it is empty'],
      component: [[0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], 'cannot be loaded: it is a WebAssembly component, and hosts load plain modules'],
      cut: [[...HEAD, 2, 127], 'cannot be loaded: it is damaged or cut off'],
      foreign: [importing('__wbindgen_placeholder__', '__wbindgen_throw'), 'cannot be loaded: it imports __wbindgen_placeholder__ __wbindgen_throw: it is an artifact of wasm-bindgen'],
      env: [importing('env', 'memcpy'), 'cannot be loaded: it imports env memcpy, and no host offers that module'],
      kernel: [importing('extism:host/env', 'http_magic'), 'cannot be loaded; Extism says: .*http_magic'],
      mute: [HEAD, 'has no export "manifest", so it is no Diaryx plugin'],
    };
    for (const [word, [bytes, expected]] of Object.entries(cases)) {
      const file = join(folder, `${word}.wasm`);
      writeFileSync(file, Buffer.from(bytes));
      const { status, stdout, stderr } = run(SYNC, 'plugin', 'inspect', file);
      assert.deepEqual([status, stdout], [1, ''], word);
      assert.match(stderr, new RegExp(`^diaryx-plugin-host: ${file} ${expected}[^\n]*\n$`), word);
    }
    rmSync(folder, { recursive: true });
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
