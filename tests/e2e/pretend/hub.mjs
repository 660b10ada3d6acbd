// A pretended house for the driver's own tests: a server that keeps one version of each file and merges line by line, and
// devices that ask it. It is no product: it exists to show the driver runs that are right and runs that are wrong.
//
// DX_PRETEND_FAULT makes one mistake: `lose` or `double` an edit, bring a deleted file back (`resurrect`), flip a bit of a
// large file (`corrupt`), change a file after all is quiet (`late`), or let a device end by itself (`die`).
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {carriedFiles} from '../../../tools/run/manifest.mjs';
import {writeByRename} from '../../../tools/run/workspace.mjs';

const fault = process.env.DX_PRETEND_FAULT ?? '';
const equal = (a, b) => a === b || (a !== null && b !== null && a.equals(b));
const toJson = (bytes) => bytes === null ? null : bytes.toString('base64');
const fromJson = (text) => text === null ? null : Buffer.from(text, 'base64');

/// Both changes of lines, the way `git merge-file --union` sees them.
function mergeLines(base, mine, theirs) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pretend-'));
  try {
    const files = [mine, base, theirs].map((bytes, i) => {
      const file = path.join(folder, String(i));
      fs.writeFileSync(file, bytes ?? '');
      return file;
    });
    return execFileSync('git', ['merge-file', '-p', '--union', ...files]);
  } finally {
    fs.rmSync(folder, {recursive: true});
  }
}

/// Listens on a loopback port and prints the line that the driver waits for.
export function serve(port) {
  const files = new Map();    // path -> {bytes or null, version}
  let version = 0, edits = 0;
  const set = (file, bytes) => files.set(file, {bytes, version: ++version});

  function offer(file, base, mine) {
    const current = files.get(file)?.bytes ?? null;
    let merged = mine;
    if (!equal(current, base) && !equal(current, mine))
      merged = mine === null || current === null ? mine ?? current : mergeLines(base, mine, current);
    const isEdit = base !== null && mine !== null && file.endsWith('.md');
    if (isEdit && ++edits === 3) {
      if (fault === 'lose') merged = current;
      if (fault === 'double') merged = Buffer.concat([merged, Buffer.from(merged.toString('utf8').match(/«[^»]*»\n/g)?.at(-1) ?? '')]);
    }
    if (mine === null && fault === 'resurrect' && file.endsWith('.md')) merged = base;
    if (base === null && fault === 'corrupt' && mine?.length === 200_000) (merged = Buffer.from(mine))[777] ^= 1;
    if (!equal(merged, current)) set(file, merged);
  }

  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      const {since, offers} = JSON.parse(body);
      for (const {file, base, mine} of offers) offer(file, fromJson(base), fromJson(mine));
      const news = [...files].filter(([, entry]) => entry.version > since).map(([file, {bytes}]) => ({file, bytes: toJson(bytes)}));
      response.end(JSON.stringify({version, news}));
    });
  });
  server.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
  process.on('SIGTERM', () => process.exit(0));
}

/// The bytes of a file, or null when there is none (any more).
function readIfThere(file) {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

/// One exchange between a folder and the hub. base: Map of path -> bytes at the last exchange.
async function exchange(folder, url, memory) {
  const disk = new Map(carriedFiles(folder).map((file) => [file, readIfThere(path.join(folder, file))]));
  const offers = [];
  for (const file of new Set([...disk.keys(), ...memory.base.keys()])) {
    const base = memory.base.get(file) ?? null, mine = disk.get(file) ?? null;
    if (!equal(base, mine)) offers.push({file, base: toJson(base), mine: toJson(mine)});
  }
  const answer = await fetch(url, {method: 'POST', body: JSON.stringify({since: memory.version, offers})});
  const {version, news} = await answer.json();
  for (const {file, bytes} of news) {
    const full = path.join(folder, file), wanted = fromJson(bytes);
    const now = readIfThere(full);
    if (!equal(now, disk.get(file) ?? null)) return;  // edited meanwhile: the next exchange sees it all
    if (wanted === null) fs.rmSync(full, {force: true});
    else if (!equal(now, wanted)) writeByRename(full, wanted);
    if (wanted === null) memory.base.delete(file);
    else memory.base.set(file, wanted);
  }
  memory.version = version;
}

const notes = (folder) => path.join(folder, '.diaryx/pretend.json');

export function link(folder, url) {
  fs.mkdirSync(path.dirname(notes(folder)), {recursive: true});
  fs.writeFileSync(notes(folder), JSON.stringify({url, version: 0, base: []}));
}

function remembered(folder) {
  const {url, version, base} = JSON.parse(fs.readFileSync(notes(folder), 'utf8'));
  return {url, memory: {version, base: new Map(base.map(([file, bytes]) => [file, fromJson(bytes)]))}};
}

function remember(folder, url, memory) {
  fs.writeFileSync(notes(folder), JSON.stringify({url, version: memory.version, base: [...memory.base].map(([f, b]) => [f, toJson(b)])}));
}

export async function syncOnce(folder) {
  const {url, memory} = remembered(folder);
  for (let i = 0; i < 2; ++i) await exchange(folder, url, memory);
  remember(folder, url, memory);
}

export async function watch(folder, name) {
  const {url, memory} = remembered(folder);
  const say = (state) => console.log(JSON.stringify({event: 'status', state}));
  let online = true, ending = false, rounds = 0;
  process.on('SIGUSR1', () => say((online = false, 'offline')));
  process.on('SIGUSR2', () => say((online = true, 'synced')));
  process.on('SIGTERM', () => { ending = true; });
  say('synced');
  let quietSince = Date.now(), lastVersion = 0, spoilt = false;
  while (!ending) {
    if (online) await exchange(folder, url, memory);
    if (memory.version !== lastVersion) [lastVersion, quietSince] = [memory.version, Date.now()];
    const isQuiet = Date.now() - quietSince > 1000 && fs.existsSync(path.join(folder, 'moved here')) && memory.version > 60;
    if (fault === 'late' && name === 'tablet' && isQuiet && !spoilt) spoilt = !fs.writeFileSync(path.join(folder, 'late.md'), 'x');
    if (fault === 'die' && name === 'desktop' && ++rounds === 20) process.exit(3);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  remember(folder, url, memory);
}
