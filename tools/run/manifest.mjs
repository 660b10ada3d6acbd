// What a folder holds, as the devices see it: SHA-256 and size of every carried file.
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const kUncarriedNames = new Set(['.diaryx', '.git', '.ds_store', 'thumbs.db', 'desktop.ini', '__macosx']);
const isUncarriedName = (name) => kUncarriedNames.has(name.toLowerCase());

/// True when the devices carry the file with this path, relative to the workspace, '/' between names.
/// Everything is carried except the product's own folder, git's, what operating systems drop, and temporary names.
export function isCarried(relative) {
  const names = relative.split('/');
  return !names.some(isUncarriedName) && !/\.(tmp|bak|swap)$/.test(names.at(-1));
}

/// Paths of the carried regular files below `folder`, sorted. Symbolic links are not followed.
export function carriedFiles(folder) {
  const found = [];
  const visit = (relative) => {
    let entries;
    try {
      entries = fs.readdirSync(path.join(folder, relative), {withFileTypes: true});
    } catch (error) {
      if (error.code === 'ENOENT') return;  // removed by a device between the two looks
      throw error;
    }
    for (const entry of entries) {
      const below = relative ? `${relative}/${entry.name}` : entry.name;
      if (entry.isDirectory()) {
        if (!isUncarriedName(entry.name)) visit(below);
      } else if (entry.isFile() && isCarried(below)) {
        found.push(below);
      }
    }
  };
  visit('');
  return found.sort();
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/// One folder, looked at again and again; a file is read only when its size, time or inode changed.
export class FolderView {
  constructor(folder) {
    this.folder = folder;
    this.known = new Map();  // path -> {key, sha256, size}
  }

  /// Map of path -> {sha256, size}, in the order of the paths.
  manifest() {
    const now = new Map();
    for (const file of carriedFiles(this.folder)) {
      const full = path.join(this.folder, file);
      try {
        const stat = fs.statSync(full, {bigint: true});
        const key = `${stat.ino}/${stat.size}/${stat.mtimeNs}/${stat.ctimeNs}`;
        let entry = this.known.get(file);
        if (entry?.key !== key) {
          const bytes = fs.readFileSync(full);
          entry = {key, sha256: sha256(bytes), size: bytes.length};
        }
        now.set(file, entry);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
    }
    this.known = now;
    return now;
  }
}

/// The manifest of `files`, a Map of path -> Buffer.
export function manifestOf(files) {
  const manifest = new Map();
  for (const name of [...files.keys()].sort()) {
    const bytes = files.get(name);
    manifest.set(name, {sha256: sha256(bytes), size: bytes.length});
  }
  return manifest;
}

/// Sentences that name how `actual` differs from `expected`, at most `limit`, sorted by path; empty when equal.
export function differences(expected, actual, limit = 5) {
  const found = [];
  for (const name of [...new Set([...expected.keys(), ...actual.keys()])].sort()) {
    if (found.length === limit) break;
    const want = expected.get(name), have = actual.get(name);
    if (!have) found.push(`${name} is missing`);
    else if (!want) found.push(`${name} (${have.size} bytes) should not be there`);
    else if (want.sha256 !== have.sha256) found.push(`${name} has other bytes: ${have.size} instead of ${want.size}`);
  }
  return found;
}
