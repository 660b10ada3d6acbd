// Texts: what changed in them, word by word, and how they read.

/** The words of a diff as elements; `words` is [{kind, text}]. */
function wordElements(words) {
  return words.map(({ kind, text }) => {
    if (kind === 'added') return h('ins', {}, hidden('added: '), text);
    if (kind === 'removed') return h('del', {}, hidden('removed: '), text);
    return text;
  });
}

// Cuts the words of a whole text into those of each hunk. A piece may cross lines; line numbers count from 1.
function wordsByHunk(words, hunks) {
  const found = hunks.map(() => []);
  let before = 1;
  let after = 1;
  let at = 0;
  for (const { kind, text } of words) {
    for (const part of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
      while (at < hunks.length && before >= hunks[at].before_line + hunks[at].before_count
        && after >= hunks[at].after_line + hunks[at].after_count) ++at;
      const hunk = hunks[at];
      if (hunk && (kind === 'added' ? after >= hunk.after_line : before >= hunk.before_line)) {
        const last = found[at].at(-1);
        if (last && last.kind === kind) last.text += part; else found[at].push({ kind, text: part });
      }
      if (!part.endsWith('\n')) continue;
      if (kind !== 'added') ++before;
      if (kind !== 'removed') ++after;
    }
  }
  return found;
}

const shown = value => (value === null || value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value));

/** Says that a file came or went, if it did. */
const fate = ({ existed_before, exists_after }, came, went) => [existed_before ? null : came, exists_after ? null : went]
  .map(text => text && h('p', { class: 'soft small' }, text));

const bothThere = diff => diff.existed_before && diff.exists_after;

/** Cards, one per hunk. `action(index)` gives what stands beside the heading of a hunk, or nothing. */
function diffCards(diff, action = () => null) {
  const { hunks, words, metadata } = diff;
  if (hunks.length === 0) {
    if (!metadata || metadata.length === 0) return [h('p', { class: 'wait' }, diff.same || !bothThere(diff) ? 'No difference in the text.' : 'The whole file was replaced.')];
    return [h('div', { class: 'card' }, h('div', { class: 'diff' }, metadata.map(({ field, before, after }) => h('p', {},
      h('span', { class: 'soft' }, `${field}: `), h('del', {}, hidden('was '), shown(before)), ' ', h('ins', {}, hidden('is '), shown(after))))))];
  }
  const pieces = wordsByHunk(words, hunks);
  return hunks.map((hunk, index) => {
    const first = hunk.after_line;
    const last = first + Math.max(hunk.after_count, 1) - 1;
    const title = last > first ? `Lines ${first}\u2013${last}` : `Line ${first}`;
    return h('section', { class: 'card', 'aria-label': title },
      h('div', { class: 'bar' }, h('span', {}, title), action(index)),
      h('div', { class: 'diff' }, wordElements(trimEnd(pieces[index]))));
  });
}

// The last line end would make an empty line at the bottom of the card.
function trimEnd(pieces) {
  const last = pieces.at(-1);
  if (!last || !last.text.endsWith('\n')) return pieces;
  const text = last.text.slice(0, -1);
  return [...pieces.slice(0, -1), ...(text || last.kind === 'same' ? [{ kind: last.kind, text }] : [last])];
}

// --- reading -------------------------------------------------------------------------------------------------------

// Underscores inside a word are letters of it: snake_case.
const INLINE = /(`[^`\n]+`)|(\*\*|(?<![\p{L}\p{N}])__)(?=\S)(.*?\S)\2(?!(?<=_)[\p{L}\p{N}])|(\*|(?<![\p{L}\p{N}])_)(?=\S)(.*?\S)\4(?!(?<=_)[\p{L}\p{N}])|(!?)\[([^\]\n]*)\]\(([^)\n]*)\)/u;

function inline(text) {
  const out = [];
  for (let match; (match = INLINE.exec(text)); text = text.slice(match.index + match[0].length)) {
    out.push(text.slice(0, match.index));
    if (match[1]) out.push(h('code', {}, match[1].slice(1, -1)));
    else if (match[3]) out.push(h('strong', {}, inline(match[3])));
    else if (match[5]) out.push(h('em', {}, inline(match[5])));
    else out.push(h('span', { title: match[8], class: 'soft' }, match[6] ? `\u25a3 ${match[7] || match[8]}` : match[7] || match[8]));
  }
  return [...out, text];
}

// An item may go on in further lines.
function listItem(lines) {
  const text = lines.replace(/^\s*([-*+]|\d+[.)])?\s+/, '').replace(/\n\s*/g, ' ');
  const task = /^\[([ x])\]\s+(.*)$/i.exec(text);
  if (!task) return h('li', {}, inline(text));
  return h('li', { class: 'task' }, h('span', { 'aria-label': task[1] === ' ' ? 'to do' : 'done' }, task[1] === ' ' ? '\u2610 ' : '\u2611 '), inline(task[2]));
}

const tableRow = line => h('tr', {}, line.replace(/^\s*\||\|\s*$/g, '').split('|').map(cell => h('td', {}, inline(cell.trim()))));

/** A note as it reads: the usual blocks of Markdown, nothing that could load or run. */
function reading(text) {
  const front = /^---\r?\n([\s\S]*?)\r?\n---(\r?\n|$)/.exec(text);
  const blocks = front ? [h('div', { class: 'front' }, front[1])] : [];
  const lines = (front ? text.slice(front[0].length) : text).split(/\r?\n/);
  // Lines stay where they are: taking the first out of a million moves all others.
  let at = 0;
  const takeWhile = test => { const from = at; while (at < lines.length && test(lines[at])) ++at; return lines.slice(from, at); };
  while (at < lines.length) {
    const line = lines[at];
    let match;
    if (/^\s*$/.test(line)) ++at;
    else if ((match = /^(#{1,6})\s+(.*)$/.exec(line))) blocks.push(h('h3', { class: match[1].length === 1 && 'big' }, inline(match[2]))), ++at;
    else if ((match = /^\s*(```|~~~)/.exec(line))) {
      const fence = match[1];
      ++at;
      blocks.push(h('pre', {}, takeWhile(each => !each.trim().startsWith(fence)).join('\n')));
      ++at;
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) blocks.push(h('hr')), ++at;
    else if (/^\s*\|/.test(line)) blocks.push(h('table', {}, takeWhile(each => /^\s*\|/.test(each)).filter(each => /[^\s|:-]/.test(each)).map(tableRow)));
    else if (/^\s*>/.test(line)) blocks.push(h('blockquote', {}, inline(takeWhile(each => /^\s*>/.test(each)).map(each => each.replace(/^\s*>\s?/, '')).join(' '))));
    else if (/^\s*([-*+]|\d+[.)])\s+/.test(line)) {
      const ordered = /^\s*\d/.test(line);
      const items = takeWhile(each => /^\s*([-*+]|\d+[.)])\s+/.test(each) || /^\s{2,}\S/.test(each));
      blocks.push(h(ordered ? 'ol' : 'ul', {}, items.join('\n').split(/\n(?=\s*(?:[-*+]|\d+[.)])\s)/).map(listItem)));
    } else blocks.push(h('p', {}, inline(takeWhile(each => /\S/.test(each) && !/^(#{1,6}\s|\s*(```|~~~|>|\||[-*+]\s|\d+[.)]\s))/.test(each)).join(' ') || lines[at++])));
  }
  for (const block of blocks) block.dir = 'auto';
  return h('article', { class: 'card read' }, blocks.length ? blocks : h('p', { class: 'soft' }, 'An empty file.'));
}

/** What `GetFileAt` answers, as an element. */
function fileElement(file) {
  if (!file.exists) return h('p', { class: 'wait' }, 'The file was not there then.');
  if (file.binary) {
    const { size, mime_type, hash } = file.binary;
    return h('div', { class: 'empty' }, icon('page'), h('strong', {}, `${mime_type || 'A file'}, ${count(size, 'byte')}`), h('span', { class: 'small' }, `SHA-256 ${hash.slice(0, 12)}\u2026`));
  }
  if (!file.text_known) return h('p', { class: 'wait' }, 'This device does not have the text of that time.');
  return /\.(md|markdown)$/i.test(file.path) ? reading(file.text) : h('pre', { class: 'card text' }, file.text);
}
