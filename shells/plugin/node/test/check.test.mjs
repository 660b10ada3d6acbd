// The import checker: our own module passes, and what hosts could not load is refused by name.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { WASM, WASM12 } from './pretend_host.mjs';

const CHECK = new URL('../../../../tools/plugin-check.mjs', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'diaryx-check-'));
after(() => rmSync(folder, { recursive: true }));

const check = (file, ...options) => spawnSync('node', [CHECK, ...options, ...file ? [file] : []], { encoding: 'utf8' });

/** A module that imports functions of type () -> () and has nothing else. */
function moduleWith(imports) {
  const text = value => [value.length, ...Buffer.from(value)];
  const section = (id, bytes) => [id, bytes.length, ...bytes];
  const entries = imports.flatMap(([module, name]) => [...text(module), ...text(name), 0, 0]);
  const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section(1, [1, 0x60, 0, 0]), ...section(2, [imports.length, ...entries])];
  const file = join(folder, `${imports.flat().join('-').replaceAll(/[:/]/g, '_')}.wasm`);
  writeFileSync(file, Buffer.from(bytes));
  return file;
}

test('our module can be loaded by hosts', () => {
  const { status, stderr } = check(WASM);
  assert.deepEqual([status, stderr], [0, '']);
});

test('the build for hosts of twelve functions imports no other, and the full one is refused as such', () => {
  const { status, stderr } = check(WASM12, '--readme12');
  assert.deepEqual([status, stderr], [0, '']);
  const full = check(WASM, '--readme12');
  assert.equal(full.status, 1);
  assert.match(full.stderr, /host_read_binary, which is not one of the twelve host functions of the README/);
});

test('an import that hosts do not offer is named', () => {
  const cases = [
    ['wasi_snapshot_preview1', 'fd_write', /imports wasi_snapshot_preview1 fd_write: hosts without WASI refuse it/],
    ['extism:host/user', 'host_hash_file', /imports extism:host\/user host_hash_file, which shipped hosts do not register/],
    ['extism:host/env', 'http_magic', /http_magic, which the Extism kernel does not have/],
    ['env', '__wbindgen_throw', /a stale or foreign file/],
    ['env', 'memcpy', /no host offers that module/],
  ];
  for (const [module, name, expected] of cases) {
    const { status, stderr } = check(moduleWith([[module, name]]));
    assert.equal(status, 1);
    assert.match(stderr, expected);
    assert.match(stderr, /does not export the function manifest/);
  }
});

test('what is no module is refused, and no file at all is explained', () => {
  const file = join(folder, 'text.wasm');
  writeFileSync(file, 'text');
  assert.match(check(file).stderr, /is no WebAssembly module/);
  assert.equal(check(file).status, 1);
  assert.equal(check().status, 2);
});
