// Each rule is shown a tree with one fault planted in it, and the same tree without.
import assert from 'node:assert/strict';
import test from 'node:test';
import {kRules} from './rules.mjs';

function tree(contents, forbiddenPaths = []) {
  const files = Object.keys(contents);
  const folders = new Set(files.flatMap((f) => f.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))));
  return {
    files, forbiddenPaths,
    read: (file) => contents[file],
    exists: (file) => file in contents || folders.has(file.replace(/\/$/, '')),
  };
}

const cases = [
  ['arrows', 'refuses an include against the arrow', 'core/crdt/src/doc.cpp',
   '#include "diaryx/sync/replica.h"', '#include "diaryx/base/bytes.h"'],
  ['arrows', 'refuses one shell in another', 'shells/client/src/main.cpp',
   '#include "diaryx/server/store.h"', '#include "diaryx/native/log.h"'],
  ['arrows', 'refuses the core in its own tests only when it is above', 'core/base/test/bytes_test.cpp',
   '#include "diaryx/crdt/doc.h"', '#include "diaryx/testing/builders.h"'],
  ['arrows', 'refuses test helpers in a library', 'core/base/src/bytes.cpp',
   '#include "diaryx/testing/builders.h"', '#include "varint.h"'],
  ['arrows', 'refuses a relative include that leaves the room', 'core/sync/src/session.cpp',
   '#include "../../crdt/src/item.h"', '#include "../src/outbox.h"'],
  ['arrows', 'refuses a CMake dependency against the arrow', 'core/base/CMakeLists.txt',
   'dx_library(base PURE SOURCES DEPENDS diaryx::crdt)', 'dx_library(base PURE SOURCES)'],
  ['purity', 'refuses a thread in the core', 'core/sync/src/session.cpp', '#include <thread>', '#include <vector>'],
  ['purity', 'refuses a clock in the plugin', 'shells/plugin/src/guest.cpp',
   'auto t = std::chrono::steady_clock::now();', '// steady_clock traps here, so the host tells the time'],
  ['sourcesAreListed', 'refuses a listed source that is missing', 'core/base/CMakeLists.txt',
   'dx_library(base SOURCES src/gone.cpp)', 'dx_library(base SOURCES)  # src/gone.cpp left'],
  ['sourcesAreListed', 'refuses a source that nobody lists', 'core/base/src/alone.cpp', 'int a;', null],
  ['namedPathsExist', 'refuses a dead path in a document', 'core/README.md', 'See `core/gone.cpp`.', 'See `core/README.md`.'],
  ['namedPathsExist', 'refuses a dead link', 'README.md', '[x](docs/gone.md)', '[x](https://example.org/gone.md) `[y](docs/gone.md)`'],
  ['namedPathsExist', 'refuses a dead path in a comment', 'core/a.h', '// see docs/gone.md', '// see core/a.h'],
  ['noMachinePaths', 'refuses a path of this machine', 'core/a.h', '// /somewhere/private/x', '// /somewhere else'],
  ['unfinishedWorkHasAnIssue', 'refuses a nameless promise', 'core/a.h', '// TODO: later', '// TODO(#4): later'],
];

for (const [rule, title, file, bad, good] of cases)
  test(`${rule} ${title}`, () => {
    const complaints = kRules[rule](tree({[file]: bad}, ['/somewhere/private/']));
    assert.equal(complaints.length, 1, JSON.stringify(complaints));
    assert.equal(complaints[0].path, file);
    if (good !== null) assert.deepEqual(kRules[rule](tree({[file]: good}, ['/somewhere/private/'])), []);
  });

test('the line of a complaint is the line of the fault', () => {
  const [complaint] = kRules.purity(tree({'core/base/src/a.cpp': '\n\n#include <mutex>\n'}));
  assert.equal(complaint.line, 3);
});

// docs/traps.md with every number, whose rows name no test but those given.
const traps = (rows) => '| Trap | Where | Test | Answer |\n' +
  [...Array(32).keys()].map((i) => `T${i + 1}`).concat([...Array(47).keys()].map((i) => `A${i + 1}`))
      .map((trap) => rows[trap] ?? `| ${trap} | | | answer |`).join('\n');

test('trapsHaveTests wants every number once and tests that exist and bear it', () => {
  const row = '| T5 | `traps_test` | `T5SendsTheIncrement` | answer |';
  const look = (document, test) =>
    kRules.trapsHaveTests(tree({'docs/traps.md': document, 'core/sync/test/traps_test.cpp': test})).map((c) => c.text);
  const good = 'TEST(Trap, T5SendsTheIncrement) {';
  assert.deepEqual(look(traps({T5: row}), good), []);
  assert.deepEqual(look(traps({T5: row}).replaceAll('T5Sends', 'Sends'), 'TEST(Trap, SendsTheIncrement) {  // T5'), []);
  assert.match(look(traps({T5: row}), 'TEST(Trap, T5SendsSomething) {')[0], /does not exist/);
  assert.match(look(traps({T5: row.replaceAll('T5Sends', 'T55Sends')}), good.replace('T5', 'T55'))[0], /does not bear/);
  assert.match(look(traps({T6: row}), good)[0], /says nothing about T6|stands here twice/);
  assert.match(look(traps({T5: ''}), '')[0], /says nothing about T5/);
});
