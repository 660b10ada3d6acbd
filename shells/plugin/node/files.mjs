// The workspace folder as host functions see it, and the memory of what this host wrote itself.
//
// 1. Paths count from the folder; nothing outside of it is reached, whatever the guest asks for.
// 2. A write replaces the file in one step: readers see the old bytes or the new.
// 3. Whatever was written or deleted here is noted with the identity of those very bytes, so that the watcher can tell
//    it from an edit by somebody else, even one that follows at once.
// 4. A write over a file that somebody changed since it was read in the same call is not done: the plugin decided on it
//    without knowing what it would replace.
import * as fs from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export const HOST_FOLDER = '.diaryx';
const NOT_CARRIED = new Set([HOST_FOLDER, '.git']);

export class Folder {
  #root;
  #temporary;
  #serial = 0;
  #onWritten = () => {};
  #read = new Map();  // path -> what the running call of the plugin saw there, null for nothing

  constructor(root) {
    this.#root = fs.realpathSync(root);
    this.#temporary = join(this.#root, HOST_FOLDER, 'tmp');
    fs.rmSync(this.#temporary, { recursive: true, force: true });
    fs.mkdirSync(this.#temporary, { recursive: true });
  }

  /** Called with (path, identity or null) after each write or deletion made here. */
  set onWritten(callback) { this.#onWritten = callback; }

  /** Another call of the plugin begins. */
  forgetReads() { this.#read.clear(); }

  read(path) {
    const target = this.#resolve(path);
    const bytes = fs.readFileSync(target);
    this.#read.set(target, bytes);
    return bytes;
  }

  isFile(path) {
    const target = this.#resolve(path);
    const is = fs.statSync(target, { throwIfNoEntry: false })?.isFile() ?? false;
    if (!is) this.#read.set(target, null);
    return is;
  }

  write(path, bytes) {
    const target = this.#resolve(path);
    const old = fs.statSync(target, { throwIfNoEntry: false });
    fs.mkdirSync(dirname(target), { recursive: true });
    const temporary = join(this.#temporary, String(++this.#serial));
    const file = fs.openSync(temporary, 'w', old ? old.mode & 0o777 : 0o644);
    try {
      fs.writeFileSync(file, bytes);
      this.#onWritten(this.#key(target), identity(fs.fstatSync(file)));
    } finally {
      fs.closeSync(file);
    }
    if (this.#isAsRead(target)) {
      fs.renameSync(temporary, target);
    } else {
      fs.unlinkSync(temporary);
    }
    this.#read.delete(target);
  }

  #isAsRead(target) {
    const before = this.#read.get(target);
    if (before === undefined) return true;
    const exists = fs.existsSync(target);
    return before === null ? !exists : exists && before.equals(fs.readFileSync(target));
  }

  delete(path) {
    const target = this.#resolve(path);
    fs.unlinkSync(target);
    this.#onWritten(this.#key(target), null);
    this.#removeEmptyFolders(dirname(target));
  }

  /**
   * Identity by path of every regular file, links not followed, folders of the host and of git left out.
   * @param {(absolute: string) => void} onFolder  called with each folder before it is read
   */
  scan(prefix = '.', onFolder = () => {}) {
    const found = new Map();
    const start = this.#resolve(prefix);
    const visit = folder => {
      onFolder(folder);
      let entries;
      try {
        entries = fs.readdirSync(folder, { withFileTypes: true });
      } catch {
        return;  // gone since its parent was read
      }
      for (const entry of entries) {
        if (NOT_CARRIED.has(entry.name)) continue;
        const path = join(folder, entry.name);
        if (entry.isDirectory()) visit(path);
        if (!entry.isFile()) continue;
        const stat = fs.statSync(path, { throwIfNoEntry: false });
        if (stat) found.set(this.#key(path), identity(stat));
      }
    };
    visit(start);
    return found;
  }

  get root() { return this.#root; }

  #key(absolute) {
    return relative(this.#root, absolute).split(sep).join('/');
  }

  #resolve(path) {
    const target = resolve(this.#root, String(path).replaceAll('\\', '/'));
    if (target === this.#root) return target;
    if (!target.startsWith(this.#root + sep)) throw new Error(`outside of the folder: ${path}`);
    // A link inside the folder may lead out of it; the part that exists must be real.
    const parent = nearestExisting(dirname(target));
    const real = fs.realpathSync(parent);
    if (real !== this.#root && !real.startsWith(this.#root + sep)) throw new Error(`outside of the folder: ${path}`);
    return target;
  }

  #removeEmptyFolders(folder) {
    for (let at = folder; at !== this.#root && at.startsWith(this.#root + sep); at = dirname(at)) {
      try {
        fs.rmdirSync(at);
      } catch {
        return;  // not empty
      }
    }
  }
}

function nearestExisting(path) {
  let at = path;
  while (!fs.existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** What changes when somebody else writes the file. The time of a rename is not part of it. */
function identity(stat) {
  return { inode: stat.ino, size: stat.size, modified: stat.mtimeMs };
}

export function sameIdentity(a, b) {
  return a.inode === b.inode && a.size === b.size && a.modified === b.modified;
}
