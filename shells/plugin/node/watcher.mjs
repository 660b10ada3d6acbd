// Finds what others did to the folder: compares the folder with what it was, shortly after the system reports a change
// and every two seconds in any case.
//
// Each folder has a watch of its own. Node's recursive watching is missing in older versions on Linux and overlooks
// files that are replaced by a rename, which is how most editors save.
import { watch } from 'node:fs';
import { HOST_FOLDER, sameIdentity } from './files.mjs';

const QUIET_MS = 25;        // an editor saves in several steps; look when it is done
const LONGEST_QUIET_MS = 400;
const EMPTIED_MS = 150;     // truncate-then-write leaves the file empty for a moment
const POLL_MS = 2000;

export class Watcher {
  #folder;
  #onEvent;
  #known;
  #emptied = new Map();
  #watches = new Map();  // by absolute folder
  #running = false;
  #timer = null;
  #poll = null;
  #firstNotice = 0;

  /** @param onEvent called with (event_type, payload) as `on_event` wants them */
  constructor(folder, onEvent) {
    this.#folder = folder;
    this.#onEvent = onEvent;
    this.#known = folder.scan();
    folder.onWritten = (path, identity) => {
      if (identity) this.#known.set(path, identity); else this.#known.delete(path);
    };
  }

  start() {
    this.#running = true;
    this.#poll = setInterval(() => this.scan(), POLL_MS);
    this.scan();
  }

  stop() {
    this.#running = false;
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
  }

  /** Reports what changed since the last look. Returns true when nothing is waiting to settle. */
  scan() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const now = this.#look();
    const before = this.#known;
    this.#known = now;
    const gone = [...before].filter(([path]) => !now.has(path));
    const events = [];
    for (const [path, identity] of now) {
      const old = before.get(path);
      if (old && sameIdentity(old, identity)) {
        this.#emptied.delete(path);
        continue;
      }
      if (this.#mayBeHalfWritten(path, old, identity)) {
        now.set(path, old);
        continue;
      }
      const source = old ? -1 : gone.findIndex(([, was]) => sameIdentity(was, identity));
      if (source >= 0) {
        const [[oldPath]] = gone.splice(source, 1);
        events.push(['file_moved', { old_path: oldPath, new_path: path }]);
      } else {
        events.push([old ? 'file_saved' : 'file_created', { path }]);
      }
    }
    for (const [path] of gone) events.push(['file_deleted', { path }]);
    for (const [type, payload] of events) this.#onEvent(type, payload);
    return this.#emptied.size === 0;
  }

  #look() {
    const folders = new Set();
    const found = this.#folder.scan('.', folder => {
      folders.add(folder);
      // Watched before it is read: what changes afterwards is reported.
      if (this.#running && !this.#watches.has(folder)) this.#watchFolder(folder);
    });
    for (const [folder, watch] of this.#watches) {
      if (folders.has(folder)) continue;
      watch.close();
      this.#watches.delete(folder);
    }
    return found;
  }

  #watchFolder(folder) {
    try {
      const watcher = watch(folder, (_, name) => { if (name !== HOST_FOLDER) this.#notice(); });
      watcher.on('error', () => {});  // polling goes on
      this.#watches.set(folder, watcher);
    } catch {
      // Out of watches, or the folder is gone: polling goes on.
    }
  }

  #mayBeHalfWritten(path, old, identity) {
    if (!old || old.size === 0 || identity.size !== 0) {
      this.#emptied.delete(path);
      return false;
    }
    const since = this.#emptied.get(path) ?? Date.now();
    if (Date.now() - since >= EMPTIED_MS) {
      this.#emptied.delete(path);
      return false;
    }
    this.#emptied.set(path, since);
    setTimeout(() => this.#notice(), EMPTIED_MS).unref();
    return true;
  }

  #notice() {
    const now = Date.now();
    if (!this.#timer) this.#firstNotice = now;
    clearTimeout(this.#timer);
    const wait = Math.min(QUIET_MS, Math.max(0, this.#firstNotice + LONGEST_QUIET_MS - now));
    this.#timer = setTimeout(() => this.scan(), wait);
  }
}
