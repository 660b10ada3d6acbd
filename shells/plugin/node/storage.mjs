// The plugin's key-value storage: one file per key, named so that no two keys share a file.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LONGEST_NAME = 200;  // file systems stop at 255 bytes; leave room for the ending and the temporary name

export class Storage {
  #folder;

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** The bytes last set, or null. */
  get(key) {
    try {
      return readFileSync(this.#path(key));
    } catch {
      return null;
    }
  }

  /** Keeps `bytes` under `key`; empty bytes remove the key. A crash leaves the old bytes or the new, never a mixture. */
  set(key, bytes) {
    const path = this.#path(key);
    if (bytes.length === 0) return rmSync(path, { force: true });
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  }

  #path(key) {
    const name = Buffer.from(key, 'utf8').toString('base64url');
    const short = name.length <= LONGEST_NAME ? name : `~${createHash('sha256').update(key).digest('hex')}`;
    return join(this.#folder, `${short}.bin`);
  }
}
