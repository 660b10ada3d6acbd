// The data folder itself: a database that is not the one it was, and files that no record names.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {Server, newFolder, run, until} from './server.mjs';

/// A server that was used, and is stopped: {folder, token, workspace, blob}.
async function used({attachment = true, folder = newFolder()} = {}) {
  const server = await Server.start({folder});
  const token = server.token();
  const workspace = await server.workspace(token);
  let blob = null;
  if (attachment) {
    const bytes = `bytes of ${workspace}`;
    const at = `/api/workspaces/${workspace}/attachments/uploads`;
    const about = {attachment_path: 'a', hash: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length, mime_type: 'text/plain'};
    const {upload_id} = await server.request(token, 'POST', at, about);
    await server.ask('PUT', `${at}/${upload_id}/parts/1`, {token, raw: bytes, type: 'application/octet-stream'});
    await server.request(token, 'POST', `${at}/${upload_id}/complete`, about);
    blob = filesBelow(join(folder, 'blobs'))[0];
  }
  await server.stop();
  return {folder, token, workspace, blob};
}

const filesBelow = (folder) => readdirSync(folder, {recursive: true, withFileTypes: true})
  .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
const database = (folder) => join(folder, 'server.db');
const withoutDatabase = (folder) => { for (const name of readdirSync(folder)) if (name.startsWith('server.db')) rmSync(join(folder, name)); };
/// Runs a server until it refuses; one that starts is an error, and is ended.
const refusal = (folder) => run(['--data', folder, '--listen', '127.0.0.1:0'], {}, {timeout: 10_000});

const losses = {
  'is gone': (folder) => withoutDatabase(folder),
  'was cut to nothing': (folder) => truncateSync(database(folder), 0),
  'lost its tables': (folder) => {
    const tables = execFileSync('sqlite3', [database(folder), "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"], {encoding: 'utf8'});
    execFileSync('sqlite3', [database(folder), `PRAGMA foreign_keys=OFF; ${tables.trim().split('\n').map((name) => `DROP TABLE ${name};`).join(' ')}`]);
  },
  'was made anew': (folder) => { withoutDatabase(folder); execFileSync('sqlite3', [database(folder), 'PRAGMA user_version = 0; VACUUM']); },
};

for (const [what, lose] of Object.entries(losses)) {
  for (const attachment of [true, false]) {
    test(`a database that ${what} is not taken for a new server's, ${attachment ? 'with' : 'without'} attachments`, async () => {
      const {folder, blob} = await used({attachment});
      lose(folder);
      const before = readdirSync(folder).sort();
      for (const args of [['--data', folder, '--listen', '127.0.0.1:0'], ['user', 'add', 'x@example.org', '--data', folder], ['token', 'create', '--user', 'x@example.org', '--data', folder]]) {
        const {code, err} = run(args, {}, {timeout: 10_000});
        assert.equal(code, 3, `${args}: ${err}`);
        assert.match(err, /server\.db .*; restore the last backup into a new folder \(diaryx-syncd restore\), or begin anew with another --data/);
        assert.equal(err.trim().split('\n').length, 1, err);
      }
      assert.deepEqual(readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name)).sort(), before.filter((name) => !/-(wal|shm)$/.test(name)), 'nothing was made');
      if (blob) assert.ok(existsSync(blob), 'nothing was taken away');
      const ill = run(['doctor', '--data', folder]);
      assert.equal(ill.code, 1);
      assert.match(ill.out, /^bad +.*server\.db .* -> restore the last backup/m);
      rmSync(folder, {recursive: true});
    });
  }
}

test('a folder in which nothing was ever stored is new, whatever a first start that was ended left there', async () => {
  const folder = newFolder();
  writeFileSync(database(folder), '');
  for (const name of ['blobs', 'uploads', 'receiving']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'server.lock'), '');
  assert.doesNotMatch(run(['doctor', '--data', folder]).out, /^bad/m);
  const server = await Server.start({folder});
  assert.match(server.log, /this server is new/);
  await server.end();
});

test('the database of another server, or another program, is refused with what to do', async () => {
  const {folder, blob} = await used();
  const other = await used();
  withoutDatabase(folder);
  cpSync(database(other.folder), database(folder));
  const foreign = refusal(folder);
  assert.equal(foreign.code, 3);
  assert.match(foreign.err, /server\.db is not the database that this folder had; .*remove .*lineage/);
  assert.ok(existsSync(blob));
  assert.match(run(['doctor', '--data', folder]).out, /^bad +.*server\.db is not the database that this folder had -> /m);
  // Whoever means it says so.
  rmSync(join(folder, 'lineage'));
  await (await Server.start({folder})).stop();

  for (const version of [0, 1, 2]) {
    withoutDatabase(folder);
    execFileSync('sqlite3', [database(folder), `CREATE TABLE recipes(name); PRAGMA user_version=${version}`]);
    const {code, err} = refusal(folder);
    assert.equal(code, 3);
    assert.match(err, /server\.db is another program's, or was emptied; /, `version ${version}`);
    assert.equal(execFileSync('sqlite3', [database(folder), '.tables'], {encoding: 'utf8'}).trim(), 'recipes');
  }
  rmSync(folder, {recursive: true});
  rmSync(other.folder, {recursive: true});
});

test('a backup is restored into a folder whose database went, whatever that left beside it', async () => {
  const {folder, token, workspace, blob} = await used();
  const kept = newFolder();
  rmSync(kept, {recursive: true});
  assert.equal(run(['backup', '--data', folder, '--to', kept]).code, 0);
  // What was written later is in the log of a database that is then removed by hand.
  const server = await Server.start({folder});
  for (let i = 0; i < 50; ++i) await server.workspace(token, `later ${i}`);
  await server.stop('SIGKILL');
  rmSync(database(folder));
  assert.ok(existsSync(`${database(folder)}-wal`));
  const done = run(['restore', '--from', kept, '--data', folder]);
  assert.equal(done.code, 0, done.err);
  assert.equal(run(['verify', '--data', folder]).code, 0);
  const again = await Server.start({folder});
  try {
    assert.deepEqual((await again.request(token, 'GET', '/api/workspaces')).map(({id}) => id), [workspace]);
    const name = blob.split('/').at(-1);
    assert.equal((await again.ask('GET', `/api/workspaces/${workspace}/attachments/${name}`, {token})).text, `bytes of ${workspace}`);
  } finally {
    await again.end();
    rmSync(kept, {recursive: true});
  }
});

test('files that no record names are told of, and taken away by the next start; the others stay', async () => {
  const {folder, blob} = await used();
  const hash = createHash('sha256').update('left').digest('hex');
  const left = join(dirname(dirname(blob)), hash.slice(0, 2), hash);
  mkdirSync(dirname(left), {recursive: true});
  writeFileSync(left, 'left by a crash');
  const parts = join(folder, 'uploads', '00000000-0000-4000-8000-000000000001');
  mkdirSync(parts);
  writeFileSync(join(parts, '1'), 'half');
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const path of [left, join(parts, '1')]) utimesSync(path, longAgo, longAgo);
  for (const command of ['doctor', 'verify']) {
    const {code, out} = run([command, '--data', folder]);
    assert.equal(code, 0, out);
    assert.match(out, /2 files \(19 bytes\) are named by no record: a crash left them, and the server takes them away by itself/);
  }
  // Not while the database is so new to the folder that devices may still tell it what they refer to: it may have been restored.
  const early = await Server.start({folder});
  await until('the parts are gone', () => !existsSync(parts));
  await early.stop();
  assert.ok(existsSync(left));
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  utimesSync(join(folder, 'lineage'), twoDaysAgo, twoDaysAgo);
  const server = await Server.start({folder});
  await until('it is gone', () => !existsSync(left));
  assert.ok(existsSync(blob));
  assert.equal(readFileSync(blob, 'utf8').slice(0, 8), 'bytes of');
  assert.doesNotMatch(run(['doctor', '--data', folder]).out, /named by no record/);
  await server.end();
});
