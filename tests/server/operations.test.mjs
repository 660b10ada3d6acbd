// Running it: settings, doctor, backup, restore, TLS, proxies, metrics, the log, stopping.
import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {request} from 'node:https';
import {connect} from 'node:net';
import {join} from 'node:path';
import {test} from 'node:test';
import {WebSocket} from 'ws';
import * as Y from 'yjs';
import {Device} from './device.mjs';
import {Server, certificate, newFolder, run, until} from './server.mjs';

async function withServer(settings, work) {
  const server = await Server.start(settings);
  try { await work(server); } finally { await server.end(); }
}

test('settings come from the command line, else the environment, else the file', () => {
  const folder = newFolder();
  const file = join(folder, 'syncd.conf');
  writeFileSync(file, '# a comment\nmax-guests = 7\nmax-devices = 7\nlink-minutes = 7\ncors-origin = https://a.example, https://b.example\nopen-sign-up = true\n');
  const {code, out, err} = run(['--check-config', '--config', file, '--data', folder, '--max-guests', '9'],
                               {DIARYX_MAX_DEVICES: '8', DIARYX_MAX_GUESTS: '8'});
  assert.equal(code, 0, err);
  for (const line of ['max-guests = 9', 'max-devices = 8', 'link-minutes = 7', 'cors-origin = https://a.example,https://b.example', 'open-sign-up = true'])
    assert.ok(out.includes(line), `${line}\n${out}`);
  // A list is written alike wherever it stands.
  for (const [args, env] of [[['--trust-proxy', '10.0.0.1,::1']], [['--trust-proxy=10.0.0.1,::1']], [['--trust-proxy', '10.0.0.1', '--trust-proxy', '::1']], [[], {DIARYX_TRUST_PROXY: '10.0.0.1,::1'}]])
    assert.match(run(['--check-config', '--data', folder, ...args], env).out, /^trust-proxy = 10\.0\.0\.1,::1$/m);
  // What was not set is printed as it holds.
  const plain = run(['--check-config', '--data', join(folder, 'new')]).out;
  for (const line of ['cors-origin = http://localhost:5174,http://localhost:5175', 'open-sign-up = false']) assert.ok(plain.includes(`${line}\n`), plain);
  rmSync(folder, {recursive: true});
});

test('a variable that is named like a setting and is none is said, with what was meant', async () => {
  const folder = newFolder();
  const env = {DIARYX_MAX_DEVICE: '8', DIARYX_IMAGE: 'latest', DIARYX_TOKEN: 'of the client'};
  const {code, err} = run(['--check-config', '--data', folder], env);
  assert.equal(code, 0, err);
  const sentences = ['the environment has DIARYX_MAX_DEVICE, which is no setting; did you mean DIARYX_MAX_DEVICES?', 'the environment has DIARYX_IMAGE, which is no setting'];
  assert.deepEqual(err.trim().split('\n').sort(), sentences.map((sentence) => `diaryx-syncd: ${sentence}`).sort());
  await withServer({folder, env}, (server) => {
    for (const sentence of sentences) assert.ok(server.log.includes(sentence), server.log);
    assert.ok(!server.log.includes('DIARYX_TOKEN'));
  });
});

test('wrong settings are refused with a sentence that says where', () => {
  const folder = newFolder();
  const file = join(folder, 'syncd.conf');
  const refused = (content, args, sentence, env = {}) => {
    writeFileSync(file, content);
    const {code, err} = run(['--check-config', '--config', file, ...(args.includes('--data') ? [] : ['--data', folder]), ...args], env);
    assert.equal(code, 2, content + args);
    assert.match(err, sentence);
    assert.equal(err.trim().split('\n').length, 1);
  };
  refused('max-gusts = 7', [], /line 1: there is no setting max-gusts; did you mean max-guests\?/);
  refused('\nnonsense', [], /line 2: write name = value/);
  refused('max-guests = many', [], /line 1: --max-guests takes a whole number, not "many"/);
  refused('\ufeffmax-guests =', [], /line 1: --max-guests takes a whole number/);
  refused('', [], /DIARYX_OPEN_SIGN_UP: --open-sign-up takes true or false, not ""/, {DIARYX_OPEN_SIGN_UP: ''});
  refused('', ['--max-guests', '-1'], /--max-guests takes a whole number, not "-1" \(see diaryx-syncd --help\)/);
  refused('', ['--open-sign-up=maybe'], /--open-sign-up takes true or false, not "maybe"/);
  for (const name of ['--max-connections', '--socket-queue']) refused('', [name, '0'], new RegExp(`${name}.* takes 1 or more`));
  refused('max-guests = 1\nmax-guests = 2', [], /set twice/);
  refused('', ['--trust-proxy', '10.0.0.0/99'], /trust-proxy/);
  refused('', ['--tls-key', file], /certificate/);
  refused('', ['--tls-certificate', file, '--tls-key', file], /certificate/);
  refused('', ['--owner', 'nobody'], /e-mail/);
  refused('', [], /DIARYX_SESSION_DAYS/, {DIARYX_SESSION_DAYS: '0'});
  refused('listen = localhost:3030', [], /"localhost" is a name/);
  refused('listen = 256.0.0.1:3030', [], /takes ADDRESS:PORT/);
  refused('owner = "me@example.org"', [], /line 1: write the value without quotes/);
  for (const origin of ['*', 'app.example.org', 'https://app.example.org/', 'https://app.example.org/notes', 'https://'])
    refused('', ['--cors-origin', origin], /--cors-origin: .* is not an origin/);
  refused('', ['--base-url', 'app'], /--base-url/);
  for (const data of [file, join(file, 'below')]) refused('', ['--data', data], /is not a folder/);
  for (const config of [join(folder, 'none'), folder])
    assert.match(run(['--check-config', '--data', folder, '--config', config]).err, /cannot be read/);
  assert.match(run(['user', '--data', folder]).err, /diaryx-syncd user needs a command \(see diaryx-syncd user --help\)/);
  assert.match(run(['user', 'lst', '--data', folder]).err, /diaryx-syncd user has no command "lst"; did you mean list\? \(see diaryx-syncd user --help\)/);
  rmSync(folder, {recursive: true});
});

async function type(server, token, id, text) {
  const device = await Device.connect(server, `token=${token}`);
  const doc = await device.open(id);
  doc.getText('body').insert(0, text);
  await device.stored();
  return {device, doc};
}

test('a backup made while the server runs is whole, and is restored under a new lineage without loss or doubling', async () => {
  const target = newFolder();
  rmSync(target, {recursive: true});
  await withServer({}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    const {device, doc} = await type(server, token, id, 'before. ');
    const lineage = (await device.hear('server_hello')).lineage;
    const made = run(['backup', '--data', server.folder, '--to', target]);
    assert.equal(made.code, 0, made.err);
    assert.equal(run(['backup', '--data', server.folder, '--to', target]).code, 1, 'never over another');
    assert.equal(run(['verify', target]).code, 0);
    assert.equal(run(['verify', '--data', server.folder]).code, 0);
    assert.equal(statSync(join(target, 'server.db')).mode & 0o77, 0);
    // The device goes on after the backup, then the server is lost.
    doc.getText('body').insert(8, 'after. ');
    await device.stored();
    await server.stop('SIGKILL');
    const restored = newFolder();
    const done = run(['restore', '--from', target, '--data', restored]);
    assert.equal(done.code, 0, done.err);
    assert.equal(run(['restore', '--from', target, '--data', restored]).code, 1, 'never over a server');
    const again = await Server.start({folder: restored});
    try {
      const fresh = await Device.connect(again, `token=${token}`);
      const seen = await fresh.open(id);
      await until('as of the backup', () => seen.getText('body').toString() === 'before. ');
      assert.notEqual((await fresh.hear('server_hello')).lineage, lineage);
      // The device that knows more comes back.
      const back = new Device(again, `token=${token}`);
      await back.settled;
      back.docs.set(id, doc);
      doc.on('update', () => {});
      const {frame, step1} = await import('./device.mjs');
      back.socket.send(frame(id, step1(doc)));
      await until('nothing is lost or doubled', () => seen.getText('body').toString() === 'before. after. ');
      assert.equal(doc.getText('body').toString(), 'before. after. ');
      assert.deepEqual(Y.encodeStateAsUpdate(seen), Y.encodeStateAsUpdate(doc));
      back.end();
      fresh.end();
    } finally {
      await again.end();
    }
  });
  rmSync(target, {recursive: true});
});

test('backups made one after the other under load, while old records go, are each whole and as new as when they were begun', async () => {
  const root = newFolder();
  await withServer({options: ['--owner', 'me@example.org', '--history-days', '1', '--blob-hours', '0']}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const keys = [...Array(8).keys()].map((i) => `body:${workspace}/${i}.md`);
    const device = await Device.connect(server, `token=${token}&handshake=0`);
    const docs = [];
    for (const key of keys) docs.push(await device.open(key));
    // A past to be forgotten, while the rest goes on.
    for (let round = 0; round < 60; ++round) {
      for (const doc of docs) doc.getText('body').insert(doc.getText('body').length, 'o');
      await device.stored();
    }
    for (const key of keys) device.say({action: 'save', doc: key});
    device.end();
    await server.stop();
    execFileSync('sqlite3', [join(server.folder, 'server.db'), 'UPDATE updates SET time_ms=1000']);
    await server.open(server.port);
    const typist = await Device.connect(server, `token=${token}&handshake=0`);
    const live = [];
    for (const key of keys) live.push(await typist.open(key));
    const length = (doc) => doc.getText('body').length;
    await until('the notes', () => live.every((doc) => length(doc) === 60));
    const typing = setInterval(() => { for (const doc of live) doc.getText('body').insert(length(doc), 'n'); }, 2).unref();
    const uploads = `/api/workspaces/${workspace}/attachments/uploads`;
    const attached = [];
    const attach = async () => {
      const bytes = `attachment ${attached.length}`;
      const about = {attachment_path: `${attached.length}.txt`, hash: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length, mime_type: 'text/plain'};
      const {upload_id} = await server.request(token, 'POST', uploads, about);
      await server.ask('PUT', `${uploads}/${upload_id}/parts/1`, {token, raw: bytes, type: 'application/octet-stream'});
      await server.request(token, 'POST', `${uploads}/${upload_id}/complete`, about);
      attached.push({bytes, hash: about.hash});
    };
    // The first is no letter, but what the device answered when it opened the note.
    const saved = (key) => Math.max(1, ...typist.texts.filter(({type: kind, doc}) => kind === 'saved' && doc === key).map(({received}) => received)) - 1;
    const lineages = new Set();
    for (let round = 0; round < 4; ++round) {
      for (let i = 0; i < 3; ++i) await attach();
      const [stored, files] = [keys.map(saved), [...attached]];
      const target = join(root, `backup-${round}`);
      const [done] = await Promise.all([new Promise((resolve) => {
        const child = spawn(process.env.DX_SYNCD, ['backup', '--data', server.folder, '--to', target], {stdio: 'ignore'});
        child.once('close', resolve);
      }), attach()]);
      const sent = live.map(length);
      assert.equal(done, 0);
      const looked = run(['verify', target]);
      assert.equal(looked.code, 0, looked.out + looked.err);
      const restored = join(root, `restored-${round}`);
      assert.equal(run(['restore', '--from', target, '--data', restored]).code, 0);
      assert.equal(run(['verify', '--data', restored]).code, 0);
      const again = await Server.start({folder: restored});
      try {
        const reader = await Device.connect(again, `token=${token}&handshake=0`);
        lineages.add((await reader.hear('server_hello')).lineage);
        for (const [i, key] of keys.entries()) {
          const doc = await reader.open(key);
          await until(`${key} as it was`, () => length(doc) >= 60 + stored[i]);
          assert.ok(length(doc) <= sent[i]);
          assert.equal(doc.getText('body').toString(), 'o'.repeat(60) + 'n'.repeat(length(doc) - 60));
        }
        for (const {bytes, hash} of files)
          assert.equal((await again.ask('GET', `/api/workspaces/${workspace}/attachments/${hash}`, {token})).text, bytes);
        // The device that typed on comes to the restored server, and brings the rest.
        if (round === 3) {
          clearInterval(typing);
          await typist.stored();
          const back = await Device.connect(again, `token=${token}&handshake=0`);
          for (const [i, key] of keys.entries()) {
            const doc = await back.open(key);
            Y.applyUpdate(doc, Y.encodeStateAsUpdate(live[i]));
            await until('all of it', () => doc.getText('body').toString() === live[i].getText('body').toString());
          }
          await back.stored();
          back.end();
        }
        reader.end();
      } finally {
        await again.stop();
      }
    }
    clearInterval(typing);
    assert.equal(lineages.size, 4);
    const pruned = Number((await server.ask('GET', '/metrics', {token})).text.match(/history_pruned_total (\d+)/)[1]);
    assert.ok(pruned > 0, 'old records went meanwhile');
    typist.end();
  });
  rmSync(root, {recursive: true});
});

test('verify finds a changed record and an unfinished backup', async () => {
  const target = newFolder();
  rmSync(target, {recursive: true});
  await withServer({}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const {device} = await type(server, token, `body:${workspace}/a.md`, 'text');
    device.end();
    assert.equal(run(['backup', '--data', server.folder, '--to', target]).code, 0);
    execFileSync('sqlite3', [join(target, 'server.db'), "UPDATE updates SET data=x'0000'"]);
    const found = run(['verify', target]);
    assert.equal(found.code, 1);
    assert.match(found.out, /damaged: record \d+ of body:/);
    assert.match(found.out, /not the one that was made/);
    assert.equal(run(['restore', '--from', target, '--data', join(target, 'x')]).code, 1);
    rmSync(join(target, 'backup.json'));
    assert.match(run(['restore', '--from', target, '--data', join(target, 'x')]).err, /not a finished backup/);
  });
  rmSync(target, {recursive: true});
  assert.equal(run(['verify', '/nowhere']).code, 3);
  assert.match(run(['backup', '--data', '/nowhere', '--to', target]).err, /there is no server.db in \/nowhere; give the folder of a server/);
});

test('attachments are backed up and come back, and a restore that was cut off can be started again', async () => {
  const target = newFolder();
  const restored = newFolder();
  rmSync(target, {recursive: true});
  const bytes = 'an attachment of some length';
  const hash = createHash('sha256').update(bytes).digest('hex');
  const blobIn = (folder) => readdirSync(join(folder, 'blobs'), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name === hash).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  await withServer({}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const uploads = `/api/workspaces/${workspace}/attachments/uploads`;
    const announcement = {attachment_path: 'a.bin', hash, size_bytes: bytes.length, mime_type: 'text/plain'};
    const {upload_id} = await server.request(token, 'POST', uploads, announcement);
    await server.ask('PUT', `${uploads}/${upload_id}/parts/1`, {token, raw: bytes, type: 'application/octet-stream'});
    await server.request(token, 'POST', `${uploads}/${upload_id}/complete`, announcement);
    assert.equal(run(['backup', '--data', server.folder, '--to', target]).code, 0);
    const [kept] = blobIn(target);

    writeFileSync(kept, 'an attachment of sOme length');
    const damaged = run(['verify', target]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.out, /damaged: the attachment .* has other bytes than its name says/);
    assert.equal(run(['restore', '--from', target, '--data', restored]).code, 1);
    rmSync(kept);
    assert.match(run(['verify', target]).out, /damaged: the attachment .* is missing/);
    writeFileSync(kept, bytes);
    assert.equal(run(['verify', target]).code, 0);

    // As a restore leaves it that was ended in the middle: half an attachment, no database.
    const half = kept.replace(target, restored);
    mkdirSync(join(half, '..'), {recursive: true});
    writeFileSync(half, bytes.slice(0, 5));
    writeFileSync(join(restored, 'restoring.db'), 'half of it');
    const done = run(['restore', '--from', target, '--data', restored]);
    assert.equal(done.code, 0, done.err);
    assert.equal(run(['verify', '--data', restored]).code, 0);
    const again = await Server.start({folder: restored});
    try {
      const answer = await again.ask('GET', `/api/workspaces/${workspace}/attachments/${hash}`, {token});
      assert.equal(answer.text, bytes);
    } finally {
      await again.end();
    }
  });
  rmSync(target, {recursive: true});
});

test('a database that cannot be used is refused by every command, with one sentence and one number', async () => {
  const made = async () => {
    const server = await Server.start();
    server.token();
    await server.stop();
    return server.folder;
  };
  const [newer, foreign, broken, none] = [await made(), await made(), await made(), newFolder()];
  const file = (folder) => join(folder, 'server.db');
  const backup = join(none, 'backup');
  assert.equal(run(['backup', '--data', newer, '--to', backup]).code, 0);
  for (const folder of [newer, backup]) execFileSync('sqlite3', [file(folder), 'PRAGMA user_version=99']);
  rmSync(file(foreign));
  execFileSync('sqlite3', [file(foreign), 'CREATE TABLE recipes(name)']);
  const pages = readFileSync(file(broken));
  writeFileSync(file(broken), pages.fill(0x5a, 4096));
  const to = join(none, 'to');
  const refused = (code, sentence, ...args) => {
    const done = run(args);
    assert.equal(done.code, code, `${args}: ${done.out}${done.err}`);
    assert.match(done.err, sentence, `${args}`);
    assert.equal(done.err.trim().split('\n').length, 1, done.err);
  };
  const commands = (folder) => [['--data', folder, '--listen', '127.0.0.1:0'], ['backup', '--data', folder, '--to', to],
                                ['user', 'list', '--data', folder], ['token', 'create', '--data', folder, '--user', 'a@example.org']];
  const newerSays = /server\.db was made by a newer version of diaryx-syncd; install that version or newer/;
  for (const args of [...commands(newer), ['verify', '--data', newer], ['verify', backup], ['restore', '--from', backup, '--data', to]]) refused(3, newerSays, ...args);
  for (const args of commands(foreign)) refused(3, /server\.db is another program's, or was emptied; restore the last backup/, ...args);
  for (const args of [...commands(broken), ['verify', '--data', broken]]) refused(3, /server\.db cannot be .*malformed; see diaryx-syncd doctor/, ...args);
  for (const args of [['backup', '--data', join(none, 'x'), '--to', to], ['verify', join(none, 'x')]]) refused(3, /there is no server\.db in .*; give the folder/, ...args);
  refused(3, /not a finished backup/, 'restore', '--from', join(none, 'x'), '--data', to);
  assert.ok(!existsSync(to), 'and nothing was made');
  await withServer({}, async (server) => {
    for (const args of [['restore', '--from', backup, '--data', server.folder], ['--data', server.folder, '--listen', '127.0.0.1:0']])
      refused(3, / diaryx-syncd is running on .*; stop it/, ...args);
    refused(4, /cannot listen on .*; choose another address/, '--data', none, '--listen', `127.0.0.1:${server.port}`);
  });
  for (const folder of [newer, foreign, broken, none]) rmSync(folder, {recursive: true});
});

test('the doctor says what is wrong and what to do', async () => {
  await withServer({}, async (server) => {
    const well = run(['doctor', '--data', server.folder]);
    assert.match(well.out, /a server is running/);
    assert.match(well.out, /warn +the owner owner@localhost has no device -> .*user link/);
    assert.equal(statSync(join(server.folder, 'server.db')).mode & 0o77, 0);
    assert.match(run(['doctor', '--data', server.folder, '--listen', '0.0.0.0:1']).out, /warn .*unprotected -> /);
    await server.stop();
    writeFileSync(join(server.folder, 'server.db'), 'not a database at all, and long enough to be read as a header of one');
    const ill = run(['doctor', '--data', server.folder]);
    assert.equal(ill.code, 1);
    assert.match(ill.out, /bad +the database is damaged.* -> .*restore/);
    // What is left after a file system lost a file's content, and what somebody put there by mistake.
    const file = join(server.folder, 'server.db');
    for (const name of readdirSync(server.folder).filter((one) => one.startsWith('server.db'))) rmSync(join(server.folder, name));
    writeFileSync(file, '');
    assert.match(run(['doctor', '--data', server.folder]).out, /bad +the database .*server\.db is empty, and this folder has held a server -> restore/);
    assert.equal(run(['verify', '--data', server.folder]).code, 1);
    execFileSync('sqlite3', [file, 'CREATE TABLE recipes(name)']);
    assert.match(run(['doctor', '--data', server.folder]).out, /bad +the database .* is another program's/);
    assert.match(run(['--data', server.folder, '--listen', '127.0.0.1:0']).err, /another program's, or was emptied; restore the last backup/);
    assert.equal(run(['verify', '--data', server.folder]).code, 1);
    assert.equal(run(['doctor', '--data', join(server.folder, 'nothing')]).code, 1);
  });
});

test('the doctor misses attachments, and folders that are none', async () => {
  await withServer({}, async (server) => {
    const token = server.token();
    const at = `/api/workspaces/${await server.workspace(token)}/attachments/uploads`;
    const about = {attachment_path: 'a', hash: createHash('sha256').update('bytes').digest('hex'), size_bytes: 5, mime_type: 'text/plain'};
    const {upload_id} = await server.request(token, 'POST', at, about);
    await server.ask('PUT', `${at}/${upload_id}/parts/1`, {token, raw: 'bytes', type: 'application/octet-stream'});
    await server.request(token, 'POST', `${at}/${upload_id}/complete`, about);
    assert.match(run(['doctor', '--data', server.folder]).out, /ok +1 attachment is there/);
    await server.stop();
    rmSync(join(server.folder, 'blobs'), {recursive: true});
    assert.match(run(['doctor', '--data', server.folder]).out, /bad +1 of 1 attachments are missing or cut off -> diaryx-syncd verify names them/);
    writeFileSync(join(server.folder, 'blobs'), 'not a folder');
    const ill = run(['doctor', '--data', server.folder]);
    assert.equal(ill.code, 1);
    assert.match(ill.out, /bad +.*blobs is not a folder -> move it away/);
  });
});

test('a disk that is too small for a backup is said', async (t) => {
  const [files, small] = [newFolder(), newFolder()];
  await withServer({folder: files}, async (server) => {
    const made = join(files, 'backup');
    assert.equal(run(['backup', '--data', server.folder, '--to', made]).code, 0);
    for (const [args, place] of [[['backup', '--data', server.folder, '--to', `${small}/b`], 'b'], [['restore', '--from', made, '--data', `${small}/r`], 'r']]) {
      const done = spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=100k none ${small} || exit 99; exec "$0" "$@"`, process.env.DX_SYNCD, ...args], {encoding: 'utf8'});
      if (done.status === 99 || done.error) return t.skip('mounting a disk in a namespace is not allowed here');
      assert.equal(done.status, 1);
      assert.match(done.stderr, new RegExp(`the disk of ${small}/${place} is full; free some space, or name another folder`));
    }
  });
  rmSync(small, {recursive: true});
});

test('TLS by file, for HTTP and sockets, renewed on SIGHUP', async () => {
  const files = newFolder();
  const {cert, key} = certificate(files, 'first');
  await withServer({options: ['--tls-certificate', cert, '--tls-key', key]}, async (server) => {
    assert.equal(server.scheme, 'https');
    const get = (path) => new Promise((resolve, reject) => {
      const asked = request(server.http + path, {rejectUnauthorized: false, agent: false}, (answer) => {
        const name = answer.socket.getPeerCertificate().subject.CN;
        let text = '';
        answer.on('data', (bytes) => { text += bytes; });
        answer.on('end', () => resolve({status: answer.statusCode, text, name}));
      });
      asked.on('error', reject);
      asked.end();
    });
    assert.deepEqual(await get('/health'), {status: 200, text: 'OK', name: 'first'});
    const token = server.token();
    const device = new Device(server, `token=${token}`, {rejectUnauthorized: false});
    await device.settled;
    assert.ok(await device.hear('server_hello'));
    certificate(files, 'second');
    server.child.kill('SIGHUP');
    await until('the new certificate', async () => (await get('/health')).name === 'second');
    assert.equal(device.closed, null, 'open connections go on');
    device.end();
    assert.match(run(['doctor', '--data', server.folder, '--tls-certificate', cert, '--tls-key', key]).out, /good for (89|90) days/);
    // Plain HTTP at a TLS port gets nothing, and the server goes on.
    await assert.rejects(fetch(server.http.replace('https', 'http') + '/health'));
    assert.equal((await get('/health')).status, 200);
  });
  rmSync(files, {recursive: true});
});

/// All that the server answers to these bytes.
function said(server, bytes) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => { answer += data; });
    socket.on('close', () => resolve(answer));
  });
}

test('HTTP as other programs speak it: HEAD, Allow, Upgrade, Host, the scheme of a token in any case', async () => {
  await withServer({}, async (server) => {
    const token = server.token();
    const ask = (line, ...headers) => said(server, [`${line} HTTP/1.1`, 'Connection: close', ...headers, '', ''].join('\r\n'));
    const whole = await ask('GET /health', 'Host: x');
    const head = await ask('HEAD /health', 'Host: x');
    assert.match(head, /^HTTP\/1.1 200 [^]*Content-Length: 2\r\n\r\n$/);
    assert.equal(whole.length - head.length, 2);
    const both = await said(server, 'HEAD /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.equal(both.match(/HTTP\/1.1 200/g).length, 2);
    assert.match(await ask('HEAD /auth/verify?token=x', 'Host: x'), /^HTTP\/1.1 405 /, 'a link is not used up by looking at it');
    assert.match(await ask('DELETE /api/workspaces', 'Host: x'), /^HTTP\/1.1 405 [^]*\r\nAllow: GET, HEAD, POST\r\n/);
    assert.match(await ask('GET /sync2', 'Host: x'), /^HTTP\/1.1 426 [^]*\r\nUpgrade: websocket\r\n/);
    assert.match(await ask('GET /health'), /^HTTP\/1.1 400 /);
    assert.match(await ask('GET /health', 'Host: x', 'Host: y'), /^HTTP\/1.1 400 /);
    assert.match(await ask('GET /auth/me', 'Host: x', `Authorization: bearer ${token}`), /^HTTP\/1.1 200 /);
    const snapshot = await server.workspace(token);
    assert.match(await ask(`HEAD /api/workspaces/${snapshot}/snapshot`, 'Host: x', `Authorization: Bearer ${token}`), /^HTTP\/1.1 200 [^]*\r\n\r\n$/);
    assert.match(whole, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
    assert.ok(Math.abs(new Date(whole.match(/\r\nDate: (.*)\r\n/)[1]) - Date.now()) < 5000);
    assert.match(await ask('OPTIONS *', 'Host: x'), /^HTTP\/1.1 204 /);
    assert.match(await ask('OPTIONS /api/workspaces', 'Host: x'), /^HTTP\/1.1 204 [^]*\r\nAllow: GET, HEAD, POST\r\n/);
    const preflight = await ask('OPTIONS /api/workspaces', 'Host: x', 'Origin: http://localhost:5174', 'Access-Control-Request-Method: POST');
    assert.match(preflight, /^HTTP\/1.1 204 [^]*\r\nAccess-Control-Allow-Headers: .*If-None-Match[^]*\r\nAccess-Control-Max-Age: \d+\r\n/);
    // What depends on who asks is kept by nobody else, and what depends on the origin is not given to another one.
    assert.match(whole, /\r\nCache-Control: no-store\r\n/);
    assert.match(whole, /\r\nVary: Origin\r\n/);
    const post = (version, expect) => said(server, `POST /auth/verify HTTP/${version}\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 13\r\nExpect: ${expect}\r\n\r\n{"token":"x"}`);
    assert.match(await post('1.1', '100-Continue'), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 400 /);
    assert.match(await post('1.0', '100-continue'), /^HTTP\/1.1 400 /);
    for (const route of ['none', '/sync2', '/auth/me', '/api/workspaces'])
      assert.match(server.log, new RegExp(`info re(quest|fused) .*route=${route} status=\\d+ took_ms=\\d+ address=127`), route);
  });
});

test('a server may open all files that its user may, not only those it was started with', async () => {
  const folder = newFolder();
  const program = join(folder, 'few');
  writeFileSync(program, `#!/bin/bash\nulimit -Sn 64\nexec "${process.env.DX_SYNCD}" "$@"\n`, {mode: 0o700});
  await withServer({program}, async (server) => {
    const [, soft, hard] = readFileSync(`/proc/${server.child.pid}/limits`, 'utf8').match(/Max open files +(\d+) +(\d+)/);
    assert.equal(soft, hard);
  });
  rmSync(folder, {recursive: true});
});

test('forwarded addresses count only from proxies that are trusted', async () => {
  const limits = ['--address-requests', '5'];
  const askAs = (server, address) => server.ask('GET', '/health', {headers: {'X-Forwarded-For': address}});
  await withServer({options: [...limits, '--trust-proxy', '127.0.0.0/8']}, async (server) => {
    for (let i = 0; i < 5; ++i) assert.equal((await askAs(server, 'spoofed, 203.0.113.7')).status, 200);
    assert.equal((await askAs(server, '198.51.100.1, 203.0.113.7')).status, 429);
    assert.equal((await askAs(server, '203.0.113.8')).status, 200);
    // Some proxies add a line of their own behind the one that the client made up.
    const lines = `GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n`;
    assert.match(await said(server, lines), /^HTTP\/1.1 429 /);
  });
  await withServer({options: limits}, async (server) => {
    for (let i = 0; i < 5; ++i) assert.equal((await askAs(server, `203.0.113.${i}`)).status, 200);
    const refused = await askAs(server, '203.0.113.99');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  });
});

test('the log is JSON when asked, and each response names its line', async () => {
  await withServer({options: ['--log-format', 'json']}, async (server) => {
    const token = server.token();
    const answer = await server.ask('GET', '/auth/me', {token});
    const id = answer.headers.get('x-request-id');
    await until('the line', () => server.log.includes(id));
    const line = JSON.parse(server.log.split('\n').find((one) => one.includes(id)));
    assert.equal(line.message, 'request');
    assert.equal(line.route, '/auth/me');
    assert.equal(line.status, '200');
    assert.equal(line.user, answer.json.user.id);
    for (const one of server.log.split('\n').filter((text) => text.startsWith('{'))) JSON.parse(one);
  });
});

test('a server says in its log and metrics that something of what it keeps is damaged, while it goes on with the rest', async () => {
  await withServer({options: ['--owner', 'me@example.org']}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    for (const name of [id, `body:${workspace}/b.md`]) (await type(server, token, name, 'text')).device.end();
    const damaged = async () => Number((await server.ask('GET', '/metrics', {token})).text.match(/^diaryx_damages (\d+)$/m)[1]);
    await until('all was looked at', () => /everything stored was looked at/.test(server.log));
    assert.equal(await damaged(), 0);
    await server.stop();
    const file = join(server.folder, 'server.db');
    const sql = (text) => execFileSync('sqlite3', [file, text], {encoding: 'utf8'}).trim();
    sql(`UPDATE updates SET data=x'0000' WHERE document_id=(SELECT id FROM documents WHERE name='${id}')`);
    const page = Number(sql("SELECT rootpage FROM sqlite_master WHERE name='sign_ins_of_address'"));
    const size = Number(sql('PRAGMA page_size'));
    writeFileSync(file, readFileSync(file).fill(0x5a, (page - 1) * size, page * size));
    server.log = '';
    await server.open(server.port);
    await until('it is said', () => /error .*record \d+ of body:.*a\.md is not what was written.*see diaryx-syncd verify/.test(server.log));
    assert.match(server.log, /error .*the database is damaged: Page .*see diaryx-syncd verify/);
    await until('all was looked at', () => /everything stored was looked at/.test(server.log));
    assert.equal(await damaged(), 2);
    assert.equal((await server.ask('GET', '/health')).status, 200);
    const device = await Device.connect(server, `token=${token}&handshake=0`);
    const whole = await device.open(`body:${workspace}/b.md`);
    await until('the other note', () => whole.getText('body').toString() === 'text');
    device.end();
  });
});

test('metrics count what happens, for the owner only', async () => {
  await withServer({options: ['--owner', 'me@example.org']}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const {device} = await type(server, token, `body:${workspace}/a.md`, 'text');
    const answer = await server.ask('GET', '/metrics', {token});
    assert.equal(answer.status, 200);
    const values = Object.fromEntries(answer.text.split('\n').filter((line) => line && line[0] !== '#').map((line) => line.split(' ')));
    assert.equal(values.diaryx_sockets, '1');
    assert.equal(values.diaryx_updates_stored_total, '1');
    assert.equal(values['diaryx_http_responses_total{class="2xx"}'], '1');
    assert.ok(Number(values.process_resident_memory_bytes) > 1e6);
    assert.ok(Math.abs(Number(values.process_start_time_seconds) - Date.now() / 1000) < 60);
    assert.ok(Number(values.process_cpu_seconds_total) > 0 && Number(values.process_max_fds) > Number(values.process_open_fds));
    assert.ok(Number(values.diaryx_disk_available_bytes) > 1e6);
    // Every value has its type, as Prometheus wants it.
    for (const name of Object.keys(values)) assert.match(answer.text, new RegExp(`# TYPE ${name.split('{')[0]} `));
    device.end();
  });
});

test('stopping tells clients to come back, and they find everything', async () => {
  await withServer({}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    const {device} = await type(server, token, id, 'kept');
    const editors = [`/yjs/${workspace}/a.md?token=${token}`, `/hocuspocus?token=${token}`, '/hocuspocus'].map((path) => new WebSocket(server.ws + path));
    const closes = Promise.all(editors.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await Promise.all(editors.map((socket) => new Promise((resolve) => socket.once('open', resolve))));
    assert.equal(await server.stop(), 0);
    await until('told', () => device.closed === 1001);
    assert.deepEqual(await closes, [1001, 1001, 1001], 'signed in or not');
    await server.open(server.port);
    const again = await Device.connect(server, `token=${token}`);
    const doc = await again.open(id);
    await until('found', () => doc.getText('body').toString() === 'kept');
    again.end();
  });
});

test('a server that was overtaken stores nothing more and stops', async () => {
  await withServer({}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    const {device, doc} = await type(server, token, id, 'before. ');
    // What a second server on this database would do.
    execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.folder, 'server.db'), 'UPDATE writer SET epoch=epoch+1']);
    doc.getText('body').insert(8, 'too late');
    await until('the device is sent away', () => device.closed !== null);
    assert.ok([1001, 1013].includes(device.closed), String(device.closed));
    await until('it stopped', () => server.child.exitCode !== null);
    assert.equal(server.child.exitCode, 1);
    await server.open(server.port);
    const again = await Device.connect(server, `token=${token}`);
    const seen = await again.open(id);
    await until('nothing of it was stored', () => seen.getText('body').toString() === 'before. ');
    again.end();
  });
});

test('old records are forgotten when asked, and no text with them', async () => {
  const folder = newFolder();
  await withServer({folder, options: ['--history-days', '1']}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    const device = await Device.connect(server, `token=${token}`);
    const doc = await device.open(id);
    for (let i = 0; i < 40; ++i) {
      doc.getText('body').insert(0, 'x');
      await device.stored();  // what comes in a burst is one record
    }
    device.say({action: 'save', doc: id});
    const count = () => Number(execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(folder, 'server.db'), 'SELECT count(*) FROM updates']));
    const covered = () => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(folder, 'server.db'), 'SELECT max(snapshot_through) FROM documents']).toString().trim();
    await until('a snapshot covers them', () => Number(covered()) >= 40);
    assert.equal(count(), 40);
    device.end();
    await server.stop();
    execFileSync('sqlite3', [join(folder, 'server.db'), 'UPDATE updates SET time_ms=1 WHERE sequence<=30']);
    await server.open(server.port);
    await until('forgotten', () => count() === 10);
    const late = await Device.connect(server, `token=${token}`);
    const copy = await late.open(id);
    await until('all text is there', () => copy.getText('body').toString() === 'x'.repeat(40));
    assert.equal(run(['verify', '--data', folder]).code, 0);
    late.end();
  });
});
