// What documents claim, held against the sources: whatever a program offers stands in its manual, and what a document names is there.
import path from 'node:path/posix';

const isDocument = (file) => file.endsWith('.md') && file !== 'CHANGELOG.md' && !file.startsWith('examples/sample-workspace/');
const isCode = (file) => /\.(cpp|h|mjs|cmake|sh)$|(^|\/)CMakeLists\.txt$|^dev$/.test(file);
const lines = (text) => text.split('\n');
const lineOf = (text, index) => text.slice(0, index).split('\n').length;

/// What `pattern` finds in the files that `wanted` takes, with the place of each.
function* matches(tree, wanted, pattern) {
  for (const file of tree.files.filter(wanted)) {
    const text = tree.read(file);
    for (const match of text.matchAll(pattern)) yield {path: file, line: lineOf(text, match.index), match};
  }
}

const kManuals = [
  {program: /^shells\/server\/src\/(main|command_line)\.cpp$/, manuals: ['docs/operations.md', 'docs/limits.md']},
  {program: /^shells\/client\/src\/main\.cpp$/, manuals: ['shells/client/README.md']},
  {program: /^shells\/host\/src\/main\.cpp$/, manuals: ['shells/host/README.md']},
];

/// Every command and option of a program stands in its manual.
export function optionsAreDescribed(tree) {
  const found = [];
  const offered = /\badd_(?:option|flag)\(\s*"--([\w-]+)|\badd(?:_subcommand)?\((?:\*\w+,)?\s*"(\w+)"/g;
  for (const {program, manuals} of kManuals) {
    const manual = manuals.filter((file) => tree.exists(file)).map((file) => tree.read(file)).join('\n');
    for (const {path: file, line, match} of matches(tree, (f) => program.test(f), offered)) {
      const name = match[1] ?? match[2];
      if (!new RegExp(`(?<![\\w-])(--)?${name}(?![\\w-])`).test(manual))
        found.push({path: file, line, text: `offers ${match[1] ? '--' : ''}${name}, which does not stand in ${manuals.join(' or ')}`});
    }
  }
  return found;
}

const kUnits = {KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30};

// `20,000 and 1 GiB` -> [20000, 2 ** 30]; `none` is what the programs call 0.
const numbersIn = (cell) => [...cell.replace(/\bnone\b/, '0').matchAll(/(\d[\d,]*) ?([KMG]iB)?/g)]
    .map(([, digits, unit]) => Number(digits.replaceAll(',', '')) * (kUnits[unit] ?? 1));

// What a member of the server's Options begins with, where that is a number: `128u << 20`, `20'000`.
function numberOf(member, options) {
  const [, value, shift] = options.match(new RegExp(`\\b${member} = ([\\d']+)(?:ull|u)?(?: << (\\d+))?;`)) ?? [];
  return value === undefined ? null : Number(value.replaceAll("'", '')) * 2 ** Number(shift ?? 0);
}

/// The tables of the server's settings and limits have the numbers that it begins with.
export function defaultsAreDescribed(tree) {
  const source = 'shells/server/src/options.h';
  if (!tree.exists(source)) return [];
  const found = [];
  const settings = new Map([...matches(tree, (f) => f === 'shells/server/src/command_line.cpp', /"--([\w-]+)",\s*options\.(\w+)/g)]
      .map(({match}) => [match[1], numberOf(match[2], tree.read(source))]));
  // A row of limits.md is | what | limit | setting | ..., one of operations.md is | setting | default | ...
  for (const [file, name, number] of [['docs/limits.md', 3, 2], ['docs/operations.md', 1, 2]]) {
    for (const [i, line] of (tree.exists(file) ? lines(tree.read(file)) : []).entries()) {
      const cells = line.split('|');
      if (cells.length < 4 || cells[number].includes('`')) continue;
      for (const [, setting] of cells[name].matchAll(/`([\w-]+)`/g)) {
        const wanted = settings.get(setting) ?? null;
        if (wanted !== null && !numbersIn(cells[number]).includes(wanted))
          found.push({path: file, line: i + 1, text: `${setting} is ${wanted} in ${source}`});
      }
    }
  }
  return found;
}

/// Every control message that is read stands in the description of the protocol.
export function messagesAreDescribed(tree) {
  const manual = tree.exists('docs/protocol.md') ? tree.read('docs/protocol.md') : '';
  return [...matches(tree, (f) => f === 'core/sync/src/control.cpp', /\{"(\w+)", parse_/g)]
      .filter(({match}) => !new RegExp(`[\`"]${match[1]}[\`"]`).test(manual))
      .map(({path: file, line, match}) => ({path: file, line, text: `reads ${match[1]}, which does not stand in docs/protocol.md`}));
}

/// Every export and command of the plugin, and every host function that it calls, stands in the description of its interface.
export function pluginIsDescribed(tree) {
  const manual = 'shells/plugin/interface.md';
  const text = tree.exists(manual) ? tree.read(manual) : '';
  const offered = /\bCommand\{"(\w+)"|_EXPORT\((\w+)\) \{ return answer|\bDX_HOST\((host_\w+)\)/g;
  return [...matches(tree, (f) => /^shells\/plugin\/src\/(commands_\w+|exports|host\w*)\.cpp$/.test(f), offered)]
      .map(({path: file, line, match}) => ({path: file, line, name: match[1] ?? match[2] ?? match[3]}))
      .filter(({name}) => !new RegExp('`' + name + '\\b').test(text))
      .map(({path: file, line, name}) => ({path: file, line, text: `has ${name}, which does not stand in ${manual}`}));
}

/// A README with a table of headers names every public header of its room.
export function headersAreListed(tree) {
  const found = [];
  for (const file of tree.files.filter((f) => path.basename(f) === 'README.md')) {
    const text = tree.read(file);
    if (!/^\| Header \|/m.test(text)) continue;
    const room = path.dirname(file) + '/include/';
    for (const header of tree.files.filter((f) => f.startsWith(room)))
      if (!text.includes('`' + path.basename(header) + '`'))
        found.push({path: file, line: 0, text: `does not name the header ${header}`});
  }
  return found;
}

// The cells below `Test` or `Shown by` of the tables in a document.
function* testCells(text) {
  let column = -1;
  for (const [i, line] of lines(text).entries()) {
    const cells = line.startsWith('|') ? line.split('|') : [];
    if (cells.length === 0) column = -1;
    else if (column < 0) column = cells.findIndex((cell) => /^ *(Test|Shown by)\b/.test(cell));
    else yield {line: i + 1, cell: cells[column] ?? ''};
  }
}

/// Tests that a table names exist, and every rule of merging that is tested stands in docs/merge-rules.md.
export function namedTestsExist(tree) {
  const found = [];
  const heads = [...matches(tree, (f) => f.endsWith('.cpp'), /^[ \t]*TEST(?:_[FP])?\((\w+),\s*(\w+)\)/gm)];
  const names = new Set(heads.flatMap(({match}) => [match[1], match[2]]));
  for (const file of tree.files.filter(isDocument))
    for (const {line, cell} of testCells(tree.read(file)))
      for (const [, name] of cell.matchAll(/`(?:\w+\.)?([A-Z]\w+)`/g))
        if (!names.has(name)) found.push({path: file, line, text: `names the test ${name}, which does not exist`});
  const rules = tree.exists('docs/merge-rules.md') ? tree.read('docs/merge-rules.md') : '';
  for (const {path: file, line, match} of heads)
    if (/\/merge_rules_\w+_test\.cpp$/.test(file) && !rules.includes('`' + match[2] + '`'))
      found.push({path: file, line, text: `docs/merge-rules.md has no row for ${match[2]}`});
  return found;
}

/// A section that is named behind a document's name is there.
export function namedSectionsExist(tree) {
  const found = [];
  const reference = /\b(docs\/[\w./-]+\.md), "([^"\n]+)"/g;
  for (const {path: file, line, match} of matches(tree, (f) => isCode(f) || isDocument(f), reference)) {
    if (file.startsWith('tests/tidy/') || !tree.exists(match[1])) continue;
    if (!lines(tree.read(match[1])).some((l) => /^#+ /.test(l) && l.replace(/^#+ /, '') === match[2]))
      found.push({path: file, line, text: `${match[1]} has no section "${match[2]}"`});
  }
  return found;
}

/// A trap that a comment names by its number stands in docs/traps.md.
export function namedTrapsExist(tree) {
  if (!tree.exists('docs/traps.md')) return [];
  const known = new Set([...tree.read('docs/traps.md').matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, trap]) => trap));
  return [...matches(tree, isCode, /\btraps? ([A-Z]\d+)/g)].filter(({match}) => !known.has(match[1]))
      .map(({path: file, line, match}) => ({path: file, line, text: `names the trap ${match[1]}, which docs/traps.md does not`}));
}

/// A verb of ./dev that a document names is one, and an environment variable of ours is read somewhere.
export function namedSwitchesExist(tree) {
  const found = [];
  if (tree.exists('dev')) {
    const verbs = new Set([...tree.read('dev').matchAll(/^  ([a-z]+)\)/gm)].map(([, verb]) => verb));
    for (const {path: file, line, match} of matches(tree, isDocument, /\.\/dev ([a-z]+)/g))
      if (!verbs.has(match[1])) found.push({path: file, line, text: `names ./dev ${match[1]}, which does not exist`});
  }
  const code = tree.files.filter(isCode).map((file) => tree.read(file)).join('\n');
  for (const {path: file, line, match} of matches(tree, isDocument, /\b(?:DX|DIARYX)_[A-Z_]*[A-Z]\b/g))
    if (!new RegExp(`\\b${match[0]}\\b`).test(code)) found.push({path: file, line, text: `names ${match[0]}, which nothing reads`});
  return found;
}

/// An address of the HTTP interface that a document names is one of the description's.
export function namedEndpointsExist(tree) {
  const description = 'shells/server/openapi.json';
  if (!tree.exists(description)) return [];
  const paths = Object.keys(JSON.parse(tree.read(description)).paths).map((p) => p.split('/'));
  const fits = (asked) => paths.some((p) => p.length === asked.length && p.every((part, i) => part === asked[i] || /^\{.*\}$/.test(part)));
  const address = /(?:\b(?:GET|POST|PUT|PATCH|DELETE) |http:\/\/127\.0\.0\.1:\d+)(\/[a-z][\w/-]*)/g;
  return [...matches(tree, isDocument, address)].filter(({match}) => !fits(match[1].split('/')))
      .map(({path: file, line, match}) => ({path: file, line, text: `names ${match[1]}, which ${description} does not`}));
}

// Packages whose names in CMake are not those that people know; null: a part of the system or of this project.
const kKnownAs = {GTest: 'GoogleTest', benchmark: 'Google Benchmark', SQLite3: 'SQLite', Threads: null, DiaryxCrdt: null};

/// Every library that a build or a test takes from elsewhere stands in third_party/README.md.
export function dependenciesAreListed(tree) {
  const manual = 'third_party/README.md';
  if (!tree.exists(manual)) return [];
  const text = tree.read(manual);
  const found = [];
  const want = (file, line, name) => {
    if (!text.includes(name)) found.push({path: file, line, text: `uses ${name}, which ${manual} does not list`});
  };
  const inBuild = (f) => path.basename(f) === 'CMakeLists.txt' || f.endsWith('.cmake');
  for (const {path: file, line, match} of matches(tree, inBuild, /^[ \t]*find_package\((\w+)/gm)) {
    const name = match[1] in kKnownAs ? kKnownAs[match[1]] : match[1];
    if (name !== null) want(file, line, name);
  }
  for (const file of tree.files.filter((f) => path.basename(f) === 'package.json')) {
    const {dependencies = {}, devDependencies = {}} = JSON.parse(tree.read(file));
    for (const [alias, version] of Object.entries({...dependencies, ...devDependencies}))
      want(file, 0, version.match(/^npm:(.+)@/)?.[1] ?? alias);
  }
  return found;
}

export const kDocumentRules = {
  optionsAreDescribed, defaultsAreDescribed, messagesAreDescribed, pluginIsDescribed, headersAreListed, namedTestsExist,
  namedSectionsExist, namedTrapsExist, namedSwitchesExist, namedEndpointsExist, dependenciesAreListed,
};
