// What was confirmed is there: after kill -9 at any moment, and on a disk that is full or read-only.
//
// DX_ROUNDS says how often the server is killed (20 by itself), DX_SEED where the dice start.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import * as Y from 'yjs';
import {Device, frame, step1, step2} from './device.mjs';
import {Server, newFolder, until} from './server.mjs';

const rounds = Number(process.env.DX_ROUNDS ?? 20);
const seed = Number(process.env.DX_SEED ?? 20261125);

/// mulberry32
function dice(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/// A device that keeps its documents while servers come and go, and notes what was confirmed of each.
class Writer {
  constructor(ids) {
    this.docs = new Map(ids.map((id) => [id, new Y.Doc()]));
    this.promised = new Map(ids.map((id) => [id, Y.encodeStateVector(new Y.Doc())]));
  }

  async connect(server, token) {
    const device = await Device.connect(server, `token=${token}`);
    const history = new Map();  // state vectors after each message that was sent
    const note = (id) => history.get(id).push(Y.encodeStateVector(this.docs.get(id)));
    device.socket.on('message', (data, isBinary) => {
      if (isBinary) return;
      const text = JSON.parse(data.toString());
      if (text.type === 'saved') this.promised.set(text.doc, history.get(text.doc)[text.received - 1]);
    });
    for (const [id, doc] of this.docs) {
      history.set(id, []);
      device.socket.send(frame(id, step2(doc)));
      note(id);
    }
    this.type = (id, text) => {
      const doc = this.docs.get(id);
      const before = Y.encodeStateVector(doc);
      doc.getText('body').insert(0, text);
      device.socket.send(frame(id, step2(doc, before)));
      note(id);
    };
    return device;
  }
}

test(`every confirmed update survives ${rounds} kills`, async () => {
  const random = dice(seed);
  const server = await Server.start();
  try {
    const token = server.token();
    const workspace = await server.workspace(token);
    const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => `body:${workspace}/${name}.md`);
    const writer = new Writer(ids);
    let confirmed = 0;
    for (let round = 0; round < rounds; ++round) {
      const device = await writer.connect(server, token);
      const wanted = Math.floor(random() * 30);
      for (let i = 0; i < 150; ++i) writer.type(ids[Math.floor(random() * ids.length)], `${round}.${i} `);
      const saved = () => device.texts.filter((text) => text.type === 'saved').length;
      await until('some are confirmed', () => saved() >= wanted || device.texts.some((text) => text.received >= 25));
      confirmed += saved();
      await server.stop('SIGKILL');
      device.end();
      await server.open(server.port);
      const reader = await Device.connect(server, `token=${token}`);
      for (const id of ids) {
        // Whatever the server lacks of what it promised would be in the difference to what it has.
        const found = await reader.open(id);
        const promise = Y.decodeStateVector(writer.promised.get(id));
        await until(`round ${round}, seed ${seed}: ${id} is as promised`, () => {
          const there = Y.decodeStateVector(Y.encodeStateVector(found));
          return [...promise].every(([client, clock]) => (there.get(client) ?? 0) >= clock);
        }, 5000);
      }
      reader.end();
    }
    assert.ok(confirmed > rounds, `${confirmed} confirmations`);
  } finally {
    await server.end();
  }
});

/// A server whose folder is a small disk of its own, in a namespace of its own; null where that is not allowed.
function smallDisk(folder) {
  const probe = spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=1m none ${folder}`]);
  return probe.status === 0;
}

/// The program that mounts it and runs the server there.
function onSmallDisk(folder) {
  const script = join(newFolder(), 'syncd');
  writeFileSync(script, `#!/bin/sh\nexec unshare -rm sh -c 'mount -t tmpfs -o size=6m none ${folder} && exec "$0" "$@"' "${process.env.DX_SYNCD}" "$@"\n`, {mode: 0o755});
  return script;
}

/// Of the owner, by the link that the first start printed: commands cannot see that disk.
async function ownersToken(server) {
  const link = server.log.match(/#(\S+)/)[1];
  return (await server.ask('POST', '/auth/verify', {body: {token: link}})).json.token;
}

test('a full disk is said, costs nothing that was confirmed, and is over when there is room', async (t) => {
  const folder = newFolder();
  if (!smallDisk(folder)) return t.skip('mounting a disk in a namespace is not allowed here');
  const server = await Server.start({folder, program: onSmallDisk(folder)});
  try {
    const inside = join(`/proc/${server.child.pid}/root`, folder);
    assert.ok(existsSync(join(inside, 'server.db')));
    const token = await ownersToken(server);
    const workspace = await server.workspace(token);
    const id = `body:${workspace}/a.md`;
    const first = await Device.connect(server, `token=${token}`);
    const doc = await first.open(id);
    doc.getText('body').insert(0, 'confirmed. ');
    await first.stored();
    try { writeFileSync(join(inside, 'filler'), Buffer.alloc(6 << 20)); } catch (error) { assert.equal(error.code, 'ENOSPC'); }
    doc.getText('body').insert(11, 'x'.repeat(300_000));
    await until('it is said', () => first.heard('error'));
    assert.equal(first.heard('error').code, 'storage');
    assert.match(first.heard('error').message, /disk is full/);
    await until('and asked to come back', () => first.closed === 1013);
    const reader = await Device.connect(server, `token=${token}`);
    const seen = await reader.open(id);
    await until('reading works', () => seen.getText('body').toString() === 'confirmed. ');
    reader.end();
    assert.equal((await server.ask('GET', '/health')).status, 503, 'and whoever watches over the server is told');
    assert.equal((await server.ask('GET', '/api/status')).json.status, 'cannot store');
    rmSync(join(inside, 'filler'));
    const back = await Device.connect(server, `token=${token}`);
    back.docs.set(id, doc);
    back.socket.send(frame(id, step1(doc)));
    await until('the device gives again', () => back.texts.some((text) => text.type === 'saved'));
    const late = await Device.connect(server, `token=${token}`);
    const copy = await late.open(id);
    await until('everything is there', () => copy.getText('body').length === 300_011);
    assert.equal((await server.ask('GET', '/health')).status, 200);
    back.end();
    late.end();
  } finally {
    await server.end();
  }
});

test('an attachment that the disk has no room for is refused as such, and can be completed when there is room', async (t) => {
  const folder = newFolder();
  if (!smallDisk(folder)) return t.skip('mounting a disk in a namespace is not allowed here');
  const server = await Server.start({folder, program: onSmallDisk(folder)});
  try {
    const token = await ownersToken(server);
    const at = `/api/workspaces/${await server.workspace(token)}/attachments/uploads`;
    const bytes = Buffer.alloc(2_000_000, 'a');
    const body = {attachment_path: 'a.bin', hash: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length, mime_type: 'x/y'};
    const {upload_id: upload} = await server.request(token, 'POST', at, body);
    const part = () => server.ask('PUT', `${at}/${upload}/parts/1`, {token, raw: bytes, type: 'x/y'});
    assert.equal((await part()).status, 200);
    const filler = join(`/proc/${server.child.pid}/root`, folder, 'filler');
    try { writeFileSync(filler, Buffer.alloc(6 << 20)); } catch (error) { assert.equal(error.code, 'ENOSPC'); }
    assert.equal((await part()).status, 507, 'while it arrives');
    const refused = await server.ask('POST', `${at}/${upload}/complete`, {token, body});
    assert.equal(refused.status, 507, refused.text);
    assert.match(refused.json.error, /disk is full/);
    rmSync(filler);
    assert.equal((await server.ask('POST', `${at}/${upload}/complete`, {token, body})).status, 200);
  } finally {
    await server.end();
  }
});

test('a disk that may only be read is said by the server and by the doctor', (t) => {
  const folder = newFolder();
  if (!smallDisk(folder)) return t.skip('mounting a disk in a namespace is not allowed here');
  const onReadOnly = (...args) => spawnSync('unshare', ['-rm', 'sh', '-c',
    `mount -t tmpfs -o size=2m none ${folder} && "$0" token create --data ${folder}/data --user me@example.org >/dev/null && ` +
    `mount -o remount,ro none ${folder} && exec "$0" "$@"`, process.env.DX_SYNCD, ...args], {encoding: 'utf8'});
  const started = onReadOnly('--data', `${folder}/data`, '--listen', '127.0.0.1:0');
  assert.equal(started.status, 3);
  assert.match(started.stderr, /mounted read-only/);
  const doctor = onReadOnly('doctor', '--data', `${folder}/data`);
  assert.equal(doctor.status, 1);
  assert.match(doctor.stdout, /bad .*mounted read-only -> .*mount it writable/);
});
