// The workspace that a proof starts from, the files it will touch, and what every byte should be at any moment.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {carriedFiles, manifestOf} from './manifest.mjs';

/// All carried files of `folder`: Map of path -> Buffer.
export function readWorkspace(folder) {
  if (!fs.existsSync(folder)) throw new Error(`there is no folder ${folder}`);
  const files = new Map(carriedFiles(folder).map((file) => [file, fs.readFileSync(path.join(folder, file))]));
  if (files.size === 0) throw new Error(`${folder} holds no file that could be synced`);
  return files;
}

/// Unpacks a .tar.gz archive into `folder` and answers the folder of its workspace: the only one in it, or `folder`.
export function unpack(archive, folder) {
  fs.mkdirSync(folder, {recursive: true});
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  const entries = fs.readdirSync(folder, {withFileTypes: true});
  return entries.length === 1 && entries[0].isDirectory() ? path.join(folder, entries[0].name) : folder;
}

/// Writes as an editor does that replaces the file: a new file gets the old name at once.
export function writeByRename(file, bytes) {
  fs.mkdirSync(path.dirname(file), {recursive: true});
  const aside = path.join(path.dirname(file), `.${path.basename(file)}.swap`);
  fs.writeFileSync(aside, bytes);
  fs.renameSync(aside, file);
}

/// Writes as an editor does that empties the file first and then fills it.
export function writeInPlace(file, bytes) {
  fs.mkdirSync(path.dirname(file), {recursive: true});
  fs.writeFileSync(file, bytes);
}

/// Splits a note as the product does: the head is a leading block between two lines `---` with at least one line
/// between them, the rest is the body.
export function splitNote(text) {
  const block = text.match(/^---\r?\n(?:[^\n]*\n)+?---\r?\n/)?.[0] ?? '';
  return {head: block, body: text.slice(block.length)};
}

/// `text` with each line of `insertions` put at its place: 0 right after the head, 1 at the end, 0.5 half way.
/// Places are whole lines; the inserted lines end as the lines of the text do.
export function insertLines(text, insertions) {
  const {head, body} = splitNote(text);
  const ending = body.includes('\r\n') ? '\r\n' : '\n';
  const lines = body.split(/(?<=\n)/);
  const count = lines.filter((line) => line.endsWith('\n')).length;
  const ordered = [...insertions].sort((a, b) => b.place - a.place);
  for (const {place, line} of ordered) lines.splice(Math.round(place * count), 0, line + ending);
  return head + lines.join('');
}

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
export function asText(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

const isNote = (file) => /[^/]\.md$/i.test(file);
const kNotesNeeded = 8;
const kAttachmentsNeeded = 2;

/// Picks the notes and attachments that the steps of a proof work on, all distinct. A workspace that has too few gets
/// some of the proof's own added to `files`, in a folder of their own.
export function chooseFiles(files) {
  const roomy = (bytes) => {
    const text = asText(bytes);
    return text !== null && text.endsWith('\n') && splitNote(text).body.split('\n').length > 5;
  };
  const notes = [...files].filter(([file, bytes]) => isNote(file) && roomy(bytes)).map(([file]) => file);
  const attachments = [...files].filter(([file, bytes]) => !isNote(file) && bytes.length > 0).map(([file]) => file);
  for (let i = notes.length; i < kNotesNeeded; ++i) {
    const lines = Array.from({length: 9}, (_, line) => `Line ${line + 1} of note ${i + 1}, of which the workspace had too few.`);
    const file = `proof notes/note ${i + 1}.md`;
    files.set(file, Buffer.from(`---\ntitle: Note ${i + 1}\n---\n${lines.join('\n')}\n`));
    notes.push(file);
  }
  for (let i = attachments.length; i < kAttachmentsNeeded; ++i) {
    const file = `proof notes/bytes ${i + 1}.bin`;
    files.set(file, Buffer.from(Array.from({length: 999}, (_, byte) => (byte * (i + 7)) & 255)));
    attachments.push(file);
  }
  // Spread over the workspace, so that different folders and sizes take part.
  const spread = (list, count) => Array.from({length: count}, (_, i) => list[Math.floor(i * list.length / count)]);
  const [together, samePlace, offline, whileStopped, live, renamed, moved, deleted] = spread(notes, kNotesNeeded);
  const [changedAttachment, deletedAttachment] = spread(attachments, kAttachmentsNeeded);
  return {together, samePlace, offline, whileStopped, live, renamed, moved, deleted, changedAttachment, deletedAttachment};
}

/// What the workspace should hold, kept beside the devices: each step says here what it does there.
export class Expectation {
  constructor(files) {
    this.files = new Map(files);
    this.markers = new Map();  // marker -> path of the note that holds it
    this.gone = new Set();     // paths that must not come back
  }
  text(file) { return asText(this.files.get(file)); }
  set(file, bytes) {
    this.files.set(file, Buffer.from(bytes));
    this.gone.delete(file);
    this.cached = null;
  }
  remove(file) {
    this.files.delete(file);
    this.gone.add(file);
    this.cached = null;
  }
  move(from, to) {
    const bytes = this.files.get(from);
    this.remove(from);
    this.set(to, bytes);
    for (const [marker, file] of this.markers)
      if (file === from) this.markers.set(marker, to);
  }
  manifest() { return this.cached ??= manifestOf(this.files); }

  /// Markers that `read(path)` (Buffer or null) lacks, and those that it has more than once.
  lostAndDoubled(read) {
    const lost = [], doubled = [];
    for (const [marker, file] of this.markers) {
      const count = (read(file)?.toString('utf8') ?? '').split(marker).length - 1;
      if (count === 0) lost.push(`${marker} in ${file}`);
      if (count > 1) doubled.push(`${marker} in ${file}`);
    }
    return {lost, doubled};
  }
}
