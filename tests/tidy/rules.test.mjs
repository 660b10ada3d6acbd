// Each rule is shown a tree with one fault planted in it, and the same tree without.
import assert from 'node:assert/strict';
import test from 'node:test';
import {kDocumentRules} from './documents.mjs';
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

// What a document says, beside the source that it speaks of.
const documentCases = [
  ['optionsAreDescribed', 'wants an option in the manual', 'docs/operations.md', '`--list-all`', 'the setting `list`',
   {'shells/server/src/main.cpp': 'app.add_option("--list", x);'}],
  ['optionsAreDescribed', 'wants a command in the manual', 'shells/client/README.md', '`history`', '`history`, `plugin inspect`',
   {'shells/client/src/main.cpp': 'app.add_subcommand("history", x);\nplugin.add_subcommand("inspect", x);'}],
  ['defaultsAreDescribed', 'refuses a limit that is another one', 'docs/limits.md',
   '| a | 1 MiB | `queue` | |\n| b | none | `days` | |', '| a | 128 MiB, 9 s | `queue` | |\n| b | none | `days` | |',
   {'shells/server/src/options.h': 'uint64_t queue_bytes = 128u << 20;\nuint32_t days = 0;',
    'shells/server/src/command_line.cpp': 'app.add_option("--queue", options.queue_bytes, "");\napp.add_option("--days",\n options.days, "");'}],
  ['messagesAreDescribed', 'wants a message in the protocol', 'docs/protocol.md', 'what is saved', '| `saved` | |',
   {'core/sync/src/control.cpp': '    {"saved", parse_saved},'}],
  ['pluginIsDescribed', 'wants a command in the description of the plugin', 'shells/plugin/interface.md', '`GetIt`, `init`', '`GetIt {it}`, `SetIt`, `init`',
   {'shells/plugin/src/commands_it.cpp': 'Command{"GetIt", get},\n Command{"SetIt", set},', 'shells/plugin/src/exports.cpp': 'DX_TEXT_EXPORT(init) { return answer(0); }'}],
  ['headersAreListed', 'wants a header in the table of its room', 'core/base/README.md', '| Header | |\n| `a.h` | |', '| Header | |\n| `a.h`, `b.h` | |',
   {'core/base/include/diaryx/base/a.h': '', 'core/base/include/diaryx/base/b.h': ''}],
  ['namedTestsExist', 'refuses a test that is not there', 'docs/a.md', '| | Test |\n|---|---|\n| `Any` | `Gone` |', '| | Test |\n|---|---|\n| `Any` | `A.Stays`, `A` |',
   {'core/base/test/a_test.cpp': 'TEST(A, Stays) {'}],
  ['namedTestsExist', 'wants a row for every rule', 'docs/merge-rules.md', '| One | Test |', '| One | Test |\n| x | `EditAndEdit` |',
   {'core/sync/test/merge_rules_names_test.cpp': 'TEST(MergeRules, EditAndEdit) {'}],
  ['namedSectionsExist', 'refuses a section that is not there', 'docs/a.md', '## Something', '## Some thing',
   {'core/a.h': '// docs/a.md, "Some thing"'}],
  ['namedTrapsExist', 'refuses a trap that has no row', 'docs/traps.md', '| T1 | |', '| T2 | |', {'core/a.h': '// see trap T2'}],
  ['namedSwitchesExist', 'refuses a verb that is not there', 'README.md', '`./dev walk`', '`./dev run`', {'dev': '  run)\n'}],
  ['namedSwitchesExist', 'refuses a variable that nobody reads', 'README.md', '`DX_SEEDS`', '`DX_SEED`', {'core/a.cpp': 'getenv("DX_SEED")'}],
  ['namedEndpointsExist', 'refuses an address that is not there', 'README.md', 'GET /api/notes', 'curl http://127.0.0.1:1/api/notes/CODE?x=1',
   {'shells/server/openapi.json': '{"paths": {"/api/notes/{id}": {}}}'}],
  ['dependenciesAreListed', 'wants a package in the list', 'third_party/README.md', '| yjs |', '| ywasm |',
   {'tests/package.json': '{"dependencies": {"y": "npm:ywasm@0.18.3"}}'}],
  ['dependenciesAreListed', 'wants a library in the list', 'third_party/README.md', '| Boost |', '| GoogleTest |',
   {'core/CMakeLists.txt': 'find_package(GTest REQUIRED)'}],
];

for (const [rule, title, file, bad, good, beside] of documentCases)
  test(`${rule} ${title}`, () => {
    const complaints = kDocumentRules[rule](tree({...beside, [file]: bad}));
    assert.equal(complaints.length, 1, JSON.stringify(complaints));
    assert.deepEqual(kDocumentRules[rule](tree({...beside, [file]: good})), []);
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
