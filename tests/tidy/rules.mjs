// The rules of the house that no compiler checks. Each rule looks at one tree and returns complaints.
//
// A tree is {files, read(path), exists(path), forbiddenPaths}: `files` are the paths that belong to the project,
// relative to its root, with '/' between names. A complaint is {path, line, text}; line 0 speaks of the whole file.
import path from 'node:path/posix';

// Room, its folder, and the rooms whose headers it may include: base <- crdt <- sync <- {plugin, client, server},
// native <- {client, server}. Tests of a room may use `testing` as well.
export const kRooms = [
  {name: 'base', folder: 'core/base', mayInclude: ['base']},
  {name: 'crdt', folder: 'core/crdt', mayInclude: ['base', 'crdt']},
  {name: 'sync', folder: 'core/sync', mayInclude: ['base', 'crdt', 'sync']},
  {name: 'native', folder: 'shells/native', mayInclude: ['base', 'native']},
  {name: 'plugin', folder: 'shells/plugin', mayInclude: ['base', 'crdt', 'sync', 'plugin']},
  {name: 'host', folder: 'shells/host', mayInclude: ['base', 'native', 'host']},
  {name: 'client', folder: 'shells/client', mayInclude: ['base', 'crdt', 'sync', 'native', 'client']},
  {name: 'server', folder: 'shells/server', mayInclude: ['base', 'crdt', 'sync', 'native', 'server']},
];

// The libraries; a program that a room brings along, such as core/crdt/driver, reads standard input like any other.
const kPure = /^(core\/[a-z]+|shells\/plugin)\/(src|include)\//;
const kBannedHeaders = [
  'condition_variable', 'ctime', 'filesystem', 'fstream', 'future', 'iostream', 'mutex', 'random', 'shared_mutex',
  'stop_token', 'thread', 'time.h',
];

const isCode = (file) => /\.(cpp|h)$/.test(file);
const isTest = (file) => /\/test\//.test(file);
const lines = (text) => text.split('\n');
const withoutLineComment = (line) => line.replace(/\/\/.*$/, '');

/// Includes and CMake dependencies follow the arrows between rooms.
export function arrows(tree) {
  const found = [];
  for (const file of tree.files) {
    const room = kRooms.find((r) => file.startsWith(r.folder + '/'));
    if (!room) continue;
    const allowed = isTest(file) ? [...room.mayInclude, 'testing'] : room.mayInclude;
    if (isCode(file)) {
      lines(tree.read(file)).forEach((line, i) => {
        const include = line.match(/^\s*#\s*include\s*["<]([^">]+)[">]/)?.[1];
        if (!include) return;
        const target = include.match(/^diaryx\/([a-z_]+)\//)?.[1];
        if (target && !allowed.includes(target))
          found.push({path: file, line: i + 1, text: `${room.name} must not include ${target}; it may use ${allowed.join(', ')}`});
        if (include.startsWith('..') && !path.join(path.dirname(file), include).startsWith(room.folder + '/'))
          found.push({path: file, line: i + 1, text: `"${include}" reaches out of the room; include its public header`});
      });
    }
    if (file === room.folder + '/CMakeLists.txt') {
      // A test or a program in the room may link `testing`; the library may not, which its includes show.
      lines(tree.read(file)).forEach((line, i) => {
        for (const [, target] of line.replace(/#.*/, '').matchAll(/diaryx::([a-z_]+)/g))
          if (kRooms.some((r) => r.name === target) && !room.mayInclude.includes(target))
            found.push({path: file, line: i + 1, text: `${room.name} must not depend on diaryx::${target}`});
      });
    }
  }
  return found;
}

/// core/ and the plugin know no clock, disk, socket, thread or chance.
export function purity(tree) {
  const found = [];
  for (const file of tree.files) {
    if (!isCode(file) || !kPure.test(file)) continue;
    lines(tree.read(file)).forEach((line, i) => {
      const header = line.match(/^\s*#\s*include\s*<([^>]+)>/)?.[1];
      if (kBannedHeaders.includes(header))
        found.push({path: file, line: i + 1, text: `<${header}> is banned here: only shells wait, open or ask the time`});
      const clock = withoutLineComment(line).match(/\b(system|steady|high_resolution)_clock\b/)?.[0];
      if (clock) found.push({path: file, line: i + 1, text: `${clock} is banned here: the time comes in as an argument`});
    });
  }
  return found;
}

/// CMakeLists.txt lists sources that exist, and every source of its folder is listed.
export function sourcesAreListed(tree) {
  const found = [];
  const listed = new Set();
  for (const file of tree.files.filter((f) => path.basename(f) === 'CMakeLists.txt' || f.endsWith('.cmake'))) {
    const folder = path.dirname(file);
    lines(tree.read(file)).forEach((line, i) => {
      for (const [token] of line.replace(/#.*/, '').matchAll(/[^\s()";]+\.(?:cpp|c)(?![\w.])/g)) {
        const fromRoot = token.match(/^\$\{(?:CMAKE|PROJECT)_SOURCE_DIR\}\/(.*)/)?.[1];
        const source = fromRoot ?? path.join(folder, token.replace('${CMAKE_CURRENT_SOURCE_DIR}/', ''));
        listed.add(source);
        if (!source.includes('${') && !tree.exists(source))
          found.push({path: file, line: i + 1, text: `lists ${token}, which does not exist`});
      }
    });
  }
  for (const file of tree.files)
    if (/\.cpp$/.test(file) && !file.includes('/must_not_compile/') && !listed.has(file))
      found.push({path: file, line: 0, text: 'no CMakeLists.txt lists this source'});
  return found;
}

const kTopFolders = 'bench|cmake|core|docs|examples|fuzz|shells|testing|tests|third_party|tools|web';
const kMadeFolders = /^(\.\/)?(build|demo|node_modules)\//;

// Paths that a document claims: `code spans` that look like one, and targets of links to files.
function* claimedPaths(text) {
  for (const [i, line] of lines(text).entries()) {
    for (const [, span] of line.matchAll(/`([^`]+)`/g))
      for (const word of span.split(/\s+/))
        if (/^(\.\/)?[\w.-]+(\/[\w.-]+)+\/?$/.test(word)) yield {line: i + 1, word, link: false};
    for (const [, target] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g))
      if (!/^([a-z]+:|#)/.test(target)) yield {line: i + 1, word: target.replace(/#.*$/, ''), link: true};
  }
}

/// Every path of this project that is named in a document or in a comment exists.
export function namedPathsExist(tree) {
  const found = [];
  for (const file of tree.files) {
    if (/^(examples\/sample-workspace|fuzz\/(corpus|kept))\//.test(file) || file === 'CHANGELOG.md') continue;
    if (file.endsWith('.md')) {
      const here = path.dirname(file);
      for (const {line, word, link} of claimedPaths(tree.read(file))) {
        const atRoot = path.normalize(word);
        const beside = path.join(here, word);
        if (kMadeFolders.test(word) || tree.exists(atRoot) || tree.exists(beside)) continue;
        const first = atRoot.split('/')[0];
        const ours = link || tree.exists(first) || tree.exists(path.join(here, first));
        if (ours && !atRoot.startsWith('..')) found.push({path: file, line, text: `names ${word}, which does not exist`});
      }
    } else if (/\.(cpp|h|mjs|cmake|sh)$|CMakeLists\.txt$/.test(file)) {
      const named = new RegExp(`(?<![\\w/.-])(?:${kTopFolders})/[\\w./-]+\\.(?:md|h|cpp|mjs|cmake|sh|html|jsonl?)\\b`, 'g');
      lines(tree.read(file)).forEach((line, i) => {
        if (!/^\s*(\/\/|#|\*)/.test(line) || /^\s*#\s*include/.test(line)) return;
        for (const [word] of line.matchAll(named))
          if (!tree.exists(word)) found.push({path: file, line: i + 1, text: `names ${word}, which does not exist`});
      });
    }
  }
  return found;
}

/// No file names a folder of the machine that it was written on.
export function noMachinePaths(tree) {
  const found = [];
  for (const file of tree.files) {
    if (!/\.(cpp|h|md|mjs|js|ts|json|cmake|sh|txt|html|css)$|\/(run|check|dev)$|^dev$/.test(file)) continue;
    lines(tree.read(file)).forEach((line, i) => {
      for (const place of tree.forbiddenPaths)
        if (line.includes(place)) found.push({path: file, line: i + 1, text: `names ${place}, a path of one machine`});
    });
  }
  return found;
}

/// Work left for later names its issue, and its author's marks do not stay in the tree.
export function unfinishedWorkHasAnIssue(tree) {
  const found = [];
  for (const file of tree.files.filter((f) => isCode(f) || /\.(mjs|cmake|sh)$/.test(f))) {
    if (file.startsWith('tests/tidy/')) continue;
    lines(tree.read(file)).forEach((line, i) => {
      if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line) && !/\bTODO\(#\d+\)/.test(line))
        found.push({path: file, line: i + 1, text: 'write TODO(#issue): what is left, or do it now'});
      if (/^(<{7}|>{7}) /.test(line)) found.push({path: file, line: i + 1, text: 'a merge was left unfinished here'});
    });
  }
  return found;
}

/// docs/traps.md names each trap once, with a test that exists and, in the core, bears the trap's number.
export function trapsHaveTests(tree) {
  const file = 'docs/traps.md';
  if (!tree.exists(file)) return [];
  const found = [];
  const missing = new Set([...Array(32).keys()].map((i) => `T${i + 1}`).concat([...Array(47).keys()].map((i) => `A${i + 1}`)));
  lines(tree.read(file)).forEach((line, i) => {
    const [, trap, where, name] = line.match(/^\| ([TA]\d+) \| (?:`(\w+)`)? ?\| (?:`(\w+)`)? ?\|/) ?? [];
    if (!trap) return;
    const complain = (text) => found.push({path: file, line: i + 1, text});
    if (!missing.delete(trap)) complain(`${trap} stands here twice, or is no trap`);
    if (!where && !name) return;
    const places = tree.files.filter((f) => path.basename(f) === `${where}.cpp`);
    const heads = places.flatMap((f) => lines(tree.read(f)).filter((l) => /^\s*TEST/.test(l) && l.includes(`, ${name})`)).map((l) => ({f, l})));
    if (heads.length === 0) complain(`names the test ${name} of ${where}, which does not exist`);
    else if (heads.every(({f, l}) => f.startsWith('core/') && !new RegExp(`${trap}(?!\\d)`).test(l)))
      complain(`the test ${name} does not bear the number ${trap}`);
  });
  for (const trap of missing) found.push({path: file, line: 0, text: `says nothing about ${trap}`});
  return found;
}

export const kRules = {
  arrows, purity, sourcesAreListed, namedPathsExist, noMachinePaths, unfinishedWorkHasAnIssue, trapsHaveTests,
};
