// The small parts of the driver: the carry rule, manifests, notes and figures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {FolderView, differences, isCarried, manifestOf} from '../../tools/run/manifest.mjs';
import {makeWorkspace} from '../../tools/run/make_workspace.mjs';
import {columns} from '../../tools/run/report.mjs';
import {percentile} from '../../tools/run/time.mjs';
import {Expectation, chooseFiles, insertLines, splitNote} from '../../tools/run/workspace.mjs';

test('carried: everything but the own folder, git, what systems drop, and temporary names', () => {
  for (const file of ['a.md', '.settings/view.json', 'notes/.hidden', 'backup/x.md', 'tmp/x', 'a.tmp.md'])
    assert.ok(isCarried(file), file);
  for (const file of ['.diaryx/state.db', '.git/config', 'a/.git/x', 'a/.DS_Store', 'Thumbs.db', 'x/desktop.ini', '__MACOSX/a', 'a.tmp', 'a.bak', '.a.md.swap'])
    assert.ok(!isCarried(file), file);
});

test('a folder view sees new bytes of the same size', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'view-'));
  const view = new FolderView(folder);
  fs.writeFileSync(path.join(folder, 'a.md'), 'one');
  const before = view.manifest();
  fs.writeFileSync(path.join(folder, 'a.md'), 'two');
  assert.deepEqual(differences(before, view.manifest()), ['a.md has other bytes: 3 instead of 3']);
  fs.rmSync(folder, {recursive: true});
});

test('differences name what is missing, what is too much, and at most so many', () => {
  const one = manifestOf(new Map([['a', Buffer.from('1')], ['b', Buffer.from('1')]]));
  const two = manifestOf(new Map([['b', Buffer.from('1')], ['c', Buffer.from('22')]]));
  assert.deepEqual(differences(one, two), ['a is missing', 'c (2 bytes) should not be there']);
  assert.equal(differences(one, two, 1).length, 1);
  assert.deepEqual(differences(one, one), []);
});

test('a note is split after its head, and a head needs a line inside and one that closes', () => {
  assert.deepEqual(splitNote('---\na: 1\n---\n\nb'), {head: '---\na: 1\n---\n', body: '\nb'});
  assert.deepEqual(splitNote('---\r\na: 1\r\n---\r\nb'), {head: '---\r\na: 1\r\n---\r\n', body: 'b'});
  for (const text of ['---\n---\nb', '---\na: 1\n', '---\na: 1\n---', '# a\n---\nb\n---\n']) assert.equal(splitNote(text).head, '');
});

test('lines are inserted at their places and end as the others do', () => {
  const three = [{place: 0, line: 'A'}, {place: 0.5, line: 'B'}, {place: 1, line: 'C'}];
  assert.equal(insertLines('---\na: b\n---\n1\n2\n3\n4\n', three), '---\na: b\n---\nA\n1\n2\nB\n3\n4\nC\n');
  assert.equal(insertLines('1\r\n2\r\n', three), 'A\r\n1\r\nB\r\n2\r\nC\r\n');
});

test('the files of a proof are all different, also in a workspace that has almost none', () => {
  const files = new Map([['only.md', Buffer.from('short\n')], ['latin1.md', Buffer.from([0xe9, 10])]]);
  const chosen = Object.values(chooseFiles(files));
  assert.equal(new Set(chosen).size, 10);
  for (const file of chosen) assert.ok(files.has(file), file);
  assert.ok(!chosen.includes('latin1.md'));
});

test('an expectation counts every edit once, and follows a note that moves', () => {
  const expected = new Expectation(new Map([['a.md', Buffer.from('«1»\n')]]));
  expected.markers.set('«1»', 'a.md');
  expected.move('a.md', 'b.md');
  assert.deepEqual(expected.lostAndDoubled((file) => expected.files.get(file) ?? null), {lost: [], doubled: []});
  assert.deepEqual(expected.lostAndDoubled(() => Buffer.from('«1» «1»')).doubled, ['«1» in b.md']);
  assert.deepEqual(expected.lostAndDoubled(() => null).lost, ['«1» in b.md']);
  assert.deepEqual([...expected.gone], ['a.md']);
});

test('percentiles are values that were measured', () => {
  assert.equal(percentile([5, 1, 4, 2, 3], 0.5), 3);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.95), 5);
  assert.equal(percentile([7], 0.5), 7);
  assert.equal(percentile([], 0.5), null);
});

test('columns line up', () => {
  assert.deepEqual(columns([['a', '1'], ['bbb', '22']]), ['a      1', 'bbb   22']);
});

test('a made workspace is the same for the same seed, and its links lead to its files', () => {
  const files = makeWorkspace({notes: 300, seed: 5});
  assert.deepEqual(makeWorkspace({notes: 300, seed: 5}), files);
  const notes = [...files.keys()].filter((file) => file.endsWith('.md'));
  assert.equal(notes.length, 300);
  assert.ok(files.size > 315);
  let links = 0;
  for (const note of notes)
    for (const [, angled, bare] of files.get(note).toString().matchAll(/\]\((?:<\/([^>]+)>|\/([^)]+))\)/g)) {
      assert.ok(files.has(angled ?? bare), `${note} links to ${angled ?? bare}`);
      ++links;
    }
  assert.ok(links > 600);
});
