// The driver of `./dev run --once` judges the product, so it is judged first: with a pretended house that works it must
// say so, and with one that makes a single mistake it must see it, name it and fail.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const pretend = path.join(here, 'pretend');

async function proof(fault, ...options) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'driver-test-'));
  const json = path.join(folder, 'figures.json');
  const child = spawn(process.execPath, [
    path.join(root, 'tools/run/main.mjs'), '--once', '--workspace', path.join(root, 'examples/sample-workspace'),
    '--place', path.join(folder, 'place'), '--json', json, ...options,
  ], {env: {
    ...process.env, DX_BIN_DIR: path.join(pretend, 'bin'), DX_PLUGIN: path.join(pretend, 'hub.mjs'),
    DX_PLUGIN_HOST: path.join(pretend, 'host.mjs'), DX_PRETEND_FAULT: fault,
  }});
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { said += text; });
  const code = await new Promise((resolve) => child.on('close', resolve));
  const figures = fs.existsSync(json) ? JSON.parse(fs.readFileSync(json, 'utf8')) : null;
  const keptFolders = fs.existsSync(path.join(folder, 'place/laptop'));
  fs.rmSync(folder, {recursive: true});
  return {code, said, figures, keptFolders};
}

test('a house that works passes, with all figures', async () => {
  const {code, said, figures, keptFolders} = await proof('');
  assert.equal(code, 0, said);
  assert.match(said, /nothing lost, nothing doubled/);
  assert.equal(figures.passed, true);
  assert.deepEqual(figures.first_sync.map(({device}) => device), ['laptop', 'desktop', 'tablet']);
  assert.equal(figures.propagation.samples, 2 * figures.live_edits);
  assert.equal(figures.propagation_by_pair.length, 6);
  assert.ok(figures.propagation.p50_ms > 0 && figures.propagation.p50_ms <= figures.propagation.p95_ms);
  assert.ok(!keptFolders);
});

const faults = [
  ['lose', /garden\.md has other bytes/],
  ['double', /garden\.md has other bytes/],
  ['resurrect', /should not be there/],
  ['corrupt', /noise\.bin has other bytes/],
  ['late', /late\.md \(1 bytes\) should not be there/],
  ['die', /desktop ended by itself \(exit code 3\)/],
];
for (const [fault, named] of faults)
  test(`a house with the fault "${fault}" fails, and the fault is named`, async () => {
    const {code, said, figures, keptFolders} = await proof(fault, '--patience', '3');
    assert.equal(code, 1, said);
    assert.match(said, /FAILED/);
    assert.match(said, named);
    assert.equal(figures.passed, false);
    assert.ok(keptFolders, 'the folders are kept for a look');
  });
