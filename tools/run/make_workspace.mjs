// Makes a Diaryx workspace of linked notes with attachments, the same for the same seed:
//
//   node tools/run/make_workspace.mjs FOLDER [--notes 2000] [--seed 1]
//
// A root index, areas with an index each, a journal by year and month; every note says what it is part of, every index lists its
// contents, notes link to others and to attachments. What real folders have is in it too: comments and odd quoting in
// frontmatter, CRLF, missing last newlines, notes without frontmatter, names in other scripts, long and empty notes.
import fs from 'node:fs';
import path from 'node:path/posix';
import {pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';

const kAreas = ['garden', 'recipes', 'travel plans', 'höhlen & berge', '読書', 'work', 'letters', 'music'];
const kWords = ('the a of and to in is it on as with for at by from rain bread river stone window letter morning table garden tea ' +
  'walk bridge paper light winter friend train coast copper apple music door field road shelf lamp salt wool').split(' ');
const kNotesPerAttachment = 12;

/// Numbers below a bound, from a seed.
function chance(seed) {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state % bound;
  };
}

const titleOf = (file) => {
  const name = path.basename(file, '.md').replace(/[-_]/g, ' ');
  return name.charAt(0).toUpperCase() + name.slice(1);
};
const link = (file, title = titleOf(file)) => /[ ()]/.test(file) ? `[${title}](</${file}>)` : `[${title}](/${file})`;
const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`;

/// Map of path -> Buffer.
export function makeWorkspace({notes = 2000, seed = 1} = {}) {
  const below = chance(seed);
  const pick = (list) => list[below(list.length)];
  const sentence = () => {
    const words = Array.from({length: 4 + below(14)}, () => pick(kWords)).join(' ');
    return words.charAt(0).toUpperCase() + words.slice(1) + pick(['.', '.', '.', '?', ' 🌱.', ' – so be it.']);
  };
  const paragraph = () => Array.from({length: 1 + below(6)}, sentence).join(' ');

  // The tree: index -> children.
  const children = new Map([['README.md', []]]);
  const parents = new Map();
  const add = (parent, file, isIndex = false) => {
    children.get(parent).push(file);
    parents.set(file, parent);
    if (isIndex) children.set(file, []);
    return file;
  };
  const areas = kAreas.map((area) => add('README.md', `${area}/${area}.md`, true));
  const journal = add('README.md', 'journal/journal.md', true);
  const months = [];
  for (let year = 2022; year <= 2025; ++year) {
    const yearIndex = add(journal, `journal/${year}/${year}.md`, true);
    for (let month = 1; month <= 12; ++month) {
      const name = `${year}-${String(month).padStart(2, '0')}`;
      months.push(add(yearIndex, `journal/${year}/${name.slice(5)}/${name}.md`, true));
    }
  }
  const leaves = [];
  for (let i = children.size; i < notes; ++i) {
    if (i % 2 === 0) {
      const month = months[(i >> 1) % months.length];
      const day = 1 + Math.floor((i >> 1) / months.length);
      const name = day <= 28 ? String(day).padStart(2, '0') : `evening ${day - 28}`;
      leaves.push(add(month, `${path.dirname(month)}/${path.basename(month, '.md')}-${name}.md`));
    } else {
      const area = pick(areas);
      leaves.push(add(area, `${path.dirname(area)}/${pick(kWords)} ${pick(kWords)} ${i}.md`));
    }
  }

  // Attachments lie beside the notes that show them.
  const files = new Map();
  const attachments = new Map();
  for (let i = 0; i < leaves.length; i += kNotesPerAttachment) {
    const note = leaves[i];
    const file = `${path.dirname(note)}/_attachments/${pick(kWords)} ${i}.${pick(['png', 'jpg', 'pdf', 'csv'])}`;
    files.set(file, Buffer.from(Array.from({length: 1 + below(20_000)}, () => below(256))));
    attachments.set(note, file);
  }

  const everyNote = [...children.keys(), ...leaves.filter((leaf) => !children.has(leaf))];
  everyNote.forEach((file, i) => {
    const head = [`title: ${i % 5 === 0 ? quoted(titleOf(file)) : titleOf(file).replace(/[:#&]/g, '')}`];
    if (parents.has(file)) head.push(`part_of: ${quoted(link(parents.get(file)))}`);
    if (children.has(file)) head.push('contents:', ...children.get(file).map((child) => `  - ${quoted(link(child))}`));
    if (attachments.has(file)) head.push('attachments:', `  - ${quoted(link(attachments.get(file), path.basename(attachments.get(file))))}`);
    if (i % 3 === 0) head.push(`audience: [family, "${pick(kWords)}"]   # who may read it`);
    if (i % 4 === 0) head.push(`created: 202${below(6)}-0${1 + below(9)}-1${below(10)}`);
    if (i % 7 === 0) head.push('# kept as it is', `mood:    ${pick(['calm', "'glad'", '~', 'null', '3'])}`);
    const body = [`# ${titleOf(file)}`, ''];
    for (let n = i % 97 === 0 ? 120 : 1 + below(9); n > 0; --n) body.push(paragraph(), '');
    for (let n = below(4); n > 0; --n) body.push(`- see ${link(pick(everyNote))} and [[${titleOf(pick(everyNote))}]]`);
    if (attachments.has(file)) body.push('', `![what it shows](<_attachments/${path.basename(attachments.get(file))}>)`);
    let text = i % 41 === 40 ? body.join('\n') : `---\n${head.join('\n')}\n---\n\n${body.join('\n')}`;
    if (i % 113 === 112) text = '';
    if (text !== '' && i % 29 !== 28) text += '\n';
    if (i % 53 === 52) text = text.replaceAll('\n', '\r\n');
    files.set(file, Buffer.from(text));
  });
  return files;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {values, positionals: [folder]} = parseArgs({
    allowPositionals: true, options: {notes: {type: 'string', default: '2000'}, seed: {type: 'string', default: '1'}},
  });
  if (!folder || fs.existsSync(folder)) {
    console.error('usage: node tools/run/make_workspace.mjs FOLDER [--notes N] [--seed N], with a FOLDER that does not exist yet');
    process.exit(2);
  }
  const files = makeWorkspace({notes: Number(values.notes), seed: Number(values.seed)});
  for (const [file, bytes] of files) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), {recursive: true});
    fs.writeFileSync(path.join(folder, file), bytes);
  }
  console.log(`${folder}: ${values.notes} notes, ${files.size} files`);
}
