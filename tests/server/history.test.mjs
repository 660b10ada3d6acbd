// What happened, what a file was, and going back, over HTTP; attachments that nobody needs any more.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {after, before, test} from 'node:test';
import * as Y from 'yjs';
import {Device} from './device.mjs';
import {Server, until} from './server.mjs';

let server;
let token;
before(async () => {
  server = await Server.start({options: ['--blob-hours', '0', '--owner', 'me@example.org']});
  token = server.token();
});
after(() => server.end());

const get = (path) => server.request(token, 'GET', path);

/// A workspace with `files`, uploaded one import at a time so that each is a point; {id, points}.
async function workspaceOf(name, ...imports) {
  const id = await server.workspace(token, name);
  const points = [];
  for (const files of imports) {
    const done = await server.ask('POST', `/api/workspaces/${id}/snapshot?mode=replace`, {token, raw: zip(files), type: 'application/zip'});
    assert.equal(done.status, 200, done.text);
    points.push(Math.max(...(await get(`/api/workspaces/${id}/history`)).map((one) => one.last_id)));
  }
  return {id, points};
}

/// A zip whose entries are stored.
function zip(files) {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const [path, bytes] = [Buffer.from(name), Buffer.from(text)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(path.length, 22);
    parts.push(Buffer.from('PK\x03\x04'), common, path, bytes);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, path]));
    at += 30 + path.length + bytes.length;
  }
  const all = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(all.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, all, end]);
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

test('the past of a workspace: what happened, the files then, a text then, what is different', async () => {
  const {id, points} = await workspaceOf('past', {'a.md': 'one\ntwo\n', 'b.md': 'stays\n'}, {'a.md': 'one\nTWO\n', 'b.md': 'stays\n', 'c.md': 'new\n'});
  const history = await get(`/api/workspaces/${id}/history`);
  assert.ok(history.length >= 1);
  assert.deepEqual(Object.keys(history[0]).filter((key) => ['id', 'short_id', 'message', 'timestamp', 'file_count'].includes(key)).length, 5);
  assert.ok(history.flatMap((one) => one.files).includes('a.md'));
  assert.equal((await get(`/api/workspaces/${id}/history?count=1`)).length, 1);
  assert.deepEqual((await get(`/api/workspaces/${id}/history/${points[0]}`)).files, ['a.md', 'b.md']);
  assert.deepEqual((await get(`/api/workspaces/${id}/history/now`)).files, ['a.md', 'b.md', 'c.md']);
  assert.equal((await get(`/api/workspaces/${id}/history/${points[0]}?path=a.md`)).text, 'one\ntwo\n');
  assert.equal((await get(`/api/workspaces/${id}/history/now?path=a.md`)).text, 'one\nTWO\n');
  const {hunks} = await get(`/api/workspaces/${id}/history/${points[0]}/diff?path=a.md`);
  assert.equal(hunks.length, 1);
  assert.match(JSON.stringify(hunks[0]), /two.*TWO/);
  const status = async (path) => (await server.ask('GET', path, {token})).status;
  assert.equal(await status(`/api/workspaces/${id}/history/${points[0]}?path=c.md`), 404);
  assert.equal(await status(`/api/workspaces/${id}/history/yesterday`), 400);
  assert.equal(await status(`/api/workspaces/${id}/history/now?path=../a.md`), 400);
  assert.equal(await status(`/api/workspaces/${id}/history?count=0`), 400);
});

test('going back: one file, one hunk, everything; devices see it as an edit and what they typed stays', async () => {
  const {id, points} = await workspaceOf('back', {'a.md': 'one\ntwo\nthree\n', 'old.md': 'old\n'}, {'a.md': 'ONE\ntwo\nTHREE\n', 'later.md': 'later\n'});
  const restore = (body) => server.request(token, 'POST', `/api/workspaces/${id}/restore`, body);
  const text = async (path) => (await get(`/api/workspaces/${id}/history/now?path=${path}`)).text;
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const doc = await device.open(`body:${id}/a.md`);
  const seen = () => doc.getText('body').toString();
  await until('the note', () => seen() === 'ONE\ntwo\nTHREE\n');

  const look = await restore({point: points[0], paths: ['a.md'], dry_run: true});
  assert.equal(look.dry_run, true);
  assert.equal(look.files.length, 1);
  assert.equal(await text('a.md'), 'ONE\ntwo\nTHREE\n');

  await restore({point: points[0], paths: ['a.md'], hunks: [0]});
  await until('the hunk', () => seen() === 'one\ntwo\nthree\n');
  doc.getText('body').insert(4, 'typed since\n');
  await device.stored();
  assert.match(await text('a.md'), /typed since/);

  const done = await restore({commit_id: String(points[0])});
  assert.equal(done.restored_from, String(points[0]));
  assert.deepEqual((await get(`/api/workspaces/${id}/history/now`)).files, ['a.md', 'old.md']);
  assert.equal(await text('a.md'), 'one\ntwo\nthree\n');
  assert.equal(await text('old.md'), 'old\n');
  await until('the device', () => seen() === 'one\ntwo\nthree\n');
  assert.ok((await get(`/api/workspaces/${id}/history`)).some((one) => one.origin === 'restore'));
  device.end();

  const before = await restore({point: 0});
  assert.deepEqual([before.file_count, before.skipped[0].reason], [0, 'the history here begins later']);
  assert.deepEqual((await get(`/api/workspaces/${id}/history/now`)).files, ['a.md', 'old.md']);

  for (const [body, status] of [[{}, 400], [{point: 'x'}, 400], [{point: 1, paths: ['../x']}, 400], [{point: 1, paths: 'a.md'}, 400], [{point: 1, hunks: [0]}, 400], [{point: 1, paths: []}, 400]]) {
    assert.equal((await server.ask('POST', `/api/workspaces/${id}/restore`, {token, body})).status, status, JSON.stringify(body));
  }
});

/// What a device writes when a file is renamed (docs/protocol.md).
function rename(list, from, to, now) {
  const files = list.getMap('files');
  const entry = JSON.parse(files.get(from));
  const {_doc, ...extra} = entry.extra;
  list.transact(() => {
    files.set(from, JSON.stringify({...entry, deleted: true, modified_at: now, extra: {...entry.extra, _to: to}}));
    files.set(to, JSON.stringify({...entry, filename: to, modified_at: now, extra}));
    list.getMap('homes').set(entry.extra._id, `${to}\n${to}\n`);
  });
}

test('going back gives a renamed file its old name again, and it stays the file that it is', async () => {
  const {id, points} = await workspaceOf('renamed', {'a.md': 'one\ntwo\n', 'other.md': 'other\n'});
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const list = await device.open(`workspace:${id}`);
  const [here, there] = [await device.open(`body:${id}/a.md`), await device.open(`body:${id}/b.md`)];
  await until('both documents', () => list.getMap('files').has('a.md') && here.getText('body').length > 0);
  const file = JSON.parse(list.getMap('files').get('a.md')).extra._id;
  Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
  rename(list, 'a.md', 'b.md', Date.now());
  there.getText('body').insert(0, 'zero\n');
  await device.stored();
  assert.deepEqual((await get(`/api/workspaces/${id}/history/now`)).files, ['b.md', 'other.md']);

  const plan = {point: points[0]};
  const look = await server.request(token, 'POST', `/api/workspaces/${id}/restore`, {...plan, dry_run: true});
  assert.deepEqual(look.files.map(({path, step, renamed_from}) => [path, step, renamed_from]), [['a.md', 'rename', 'b.md']]);
  await server.request(token, 'POST', `/api/workspaces/${id}/restore`, plan);
  assert.deepEqual((await get(`/api/workspaces/${id}/history/now`)).files, ['a.md', 'other.md']);
  assert.equal((await get(`/api/workspaces/${id}/history/now?path=a.md`)).text, 'one\ntwo\n');
  await until('the device sees the old text under the old name', () => here.getText('body').toString() === 'one\ntwo\n');
  const entry = (path) => JSON.parse(list.getMap('files').get(path));
  await until('and the entries', () => entry('b.md').deleted);
  assert.deepEqual([entry('a.md').extra._id, entry('a.md').extra._doc, entry('a.md').deleted], [file, undefined, false]);
  assert.deepEqual([entry('b.md').extra._id, entry('b.md').extra._to], [file, 'a.md'], 'where it went, for those who still type there');
  assert.equal(list.getMap('homes').get(file), 'a.md\na.md\n');
  // What was typed under the other name went along, ids included: typed again from there, nothing doubles.
  assert.ok(Y.decodeStateVector(Y.encodeStateVector(here)).get(there.clientID) > 0);
  Y.applyUpdate(here, Y.encodeStateAsUpdate(there));
  assert.equal(here.getText('body').toString(), 'one\ntwo\n');
  device.end();
});

test('a snapshot brings a note under a name that another one was renamed away from', async () => {
  const {id} = await workspaceOf('again', {'a.md': 'first\n'});
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const list = await device.open(`workspace:${id}`);
  const [here, there] = [await device.open(`body:${id}/a.md`), await device.open(`body:${id}/b.md`)];
  await until('it is there', () => list.getMap('files').has('a.md') && here.getText('body').length > 0);
  Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
  rename(list, 'a.md', 'b.md', Date.now());
  await device.stored();
  const done = await server.ask('POST', `/api/workspaces/${id}/snapshot?mode=merge`, {token, raw: zip({'a.md': 'second\n'}), type: 'application/zip'});
  assert.equal(done.status, 200, done.text);
  const text = async (path) => (await get(`/api/workspaces/${id}/history/now?path=${path}`)).text;
  assert.equal(await text('a.md'), 'second\n');
  assert.equal(await text('b.md'), 'first\n');
  const packed = await server.ask('GET', `/api/workspaces/${id}/snapshot`, {token});
  assert.equal(packed.status, 200);
  device.end();
});

test('a name that another file has by now is not taken from it by going back to one file', async () => {
  const {id, points} = await workspaceOf('taken', {'a.md': 'first\n'});
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const list = await device.open(`workspace:${id}`);
  const here = await device.open(`body:${id}/a.md`);
  const there = await device.open(`body:${id}/b.md`);
  await until('it is there', () => list.getMap('files').has('a.md') && here.getText('body').length > 0);
  Y.applyUpdate(there, Y.encodeStateAsUpdate(here));
  rename(list, 'a.md', 'b.md', Date.now());
  const own = await device.open(`body:${id}/~f2`);
  own.getText('body').insert(0, 'second\n');
  list.getMap('files').set('a.md', JSON.stringify({filename: 'a.md', extra: {_id: 'f2', _doc: '~f2'}, modified_at: 1}));
  list.getMap('homes').set('f2', 'a.md\n~f2\n');
  await device.stored();
  await server.request(token, 'POST', `/api/workspaces/${id}/restore`, {point: points[0]});
  const files = (await get(`/api/workspaces/${id}/history/now`)).files;
  assert.deepEqual(files, ['a.md']);
  assert.equal((await get(`/api/workspaces/${id}/history/now?path=a.md`)).text, 'first\n');
  device.end();
});

/// A workspace whose a.md has three stretches after its import, each a point of its own; {id, points: [imported, one, two, three]}.
async function typed(name) {
  const {id, points} = await workspaceOf(name, {'a.md': 'start\n', 'b.md': 'other\n'});
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const [doc, other, list] = [await device.open(`body:${id}/a.md`), await device.open(`body:${id}/b.md`), await device.open(`workspace:${id}`)];
  await until('the notes and the list', () => doc.getText('body').length > 0 && other.getText('body').length > 0 && list.getMap('files').size === 2);
  other.getText('body').insert(0, 'changed\n');
  for (const word of ['one\n', 'two\n', 'three\n']) {
    doc.getText('body').insert(doc.getText('body').length, word);
    list.getMap('files').set(`${word.trim()}.md`, JSON.stringify({filename: `${word.trim()}.md`, modified_at: 1}));
    await device.stored();
    points.push(Number(sql(`SELECT max(sequence) FROM updates`)));
  }
  device.end();
  return {id, points};
}
const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', `${server.folder}/server.db`, text], {encoding: 'utf8'}).trim();
/// The record of a document that was stored last up to a point, damaged while the server is not looking.
async function damage(document, point) {
  const record = Number(sql(`SELECT max(sequence) FROM updates WHERE sequence<=${point} AND document_id=(SELECT id FROM documents WHERE name='${document}')`));
  sql(`UPDATE updates SET data=x'0000' WHERE sequence=${record}`);
  await server.restart();
  return record;
}

test('a damaged record of a note hides what it held, and nothing else of the past', async () => {
  const {id, points: [imported, one, two]} = await typed('damaged note');
  const record = await damage(`body:${id}/a.md`, two);
  const ask = (path) => server.ask('GET', `/api/workspaces/${id}/history${path}`, {token});
  const list = await get(`/api/workspaces/${id}/history`);
  const marked = list.filter(({damaged}) => damaged);
  assert.equal(marked.length, 1, JSON.stringify(list));
  assert.ok(marked[0].files.includes('a.md') && marked[0].first_id <= record && record <= marked[0].last_id);
  assert.match(marked[0].message, /damaged/);
  assert.ok(list.some(({files}) => files.includes('b.md')));
  assert.equal((await get(`/api/workspaces/${id}/history/${one}?path=a.md`)).text, 'start\none\n');
  assert.ok((await get(`/api/workspaces/${id}/history/now`)).files.includes('three.md'));
  assert.equal((await get(`/api/workspaces/${id}/history/now?path=b.md`)).text, 'changed\nother\n');
  const sentence = new RegExp(`What was stored of a\\.md at point ${record} is damaged on this server: only points before it can be read`);
  for (const path of ['/now?path=a.md', `/${two}?path=a.md`, `/${one}/diff?path=a.md`]) {
    const answer = await ask(path);
    assert.equal(answer.status, 500, path);
    assert.match(answer.json.error, sentence);
  }
  assert.match(server.log, new RegExp(`record ${record} of body:${id}/a\\.md is not what was written`));
  const back = await server.request(token, 'POST', `/api/workspaces/${id}/restore`, {point: imported});
  assert.ok(back.skipped.some(({path, reason}) => path === 'a.md' && /damaged/.test(reason)), JSON.stringify(back));
  assert.equal((await get(`/api/workspaces/${id}/history/now?path=b.md`)).text, 'other\n');
});

test('a damaged record of the list of files hides the files as they were from there on', async () => {
  const {id, points: [imported, one, two]} = await typed('damaged list');
  const record = await damage(`workspace:${id}`, two);
  const list = await get(`/api/workspaces/${id}/history`);
  assert.deepEqual(list.filter(({damaged, first_id, last_id}) => damaged && first_id <= record && record <= last_id).length, 1);
  assert.ok((await get(`/api/workspaces/${id}/history/${one}`)).files.includes('one.md'));
  assert.equal((await get(`/api/workspaces/${id}/history/${one}?path=a.md`)).text, 'start\none\n');
  for (const path of ['now', 'now?path=b.md', String(two)]) {
    const answer = await server.ask('GET', `/api/workspaces/${id}/history/${path}`, {token});
    assert.equal(answer.status, 500);
    assert.match(answer.json.error, /stored of the list of files at point \d+ is damaged on this server/);
  }
  // Not "as far as can be read": that would take away what only seems to have come later.
  const back = await server.ask('POST', `/api/workspaces/${id}/restore`, {token, body: {point: imported}});
  assert.equal(back.status, 500);
  assert.match(back.json.error, /the list of files .* damaged/);
});

const blobs = () => readdirSync(`${server.folder}/blobs`, {recursive: true}).filter((name) => /[0-9a-f]{64}$/.test(name)).length;

test('attachments go with the last workspace that refers to them, and can come again', async () => {
  const bytes = 'an attachment of two workspaces';
  const hash = createHash('sha256').update(bytes).digest('hex');
  const about = {attachment_path: 'a.txt', hash, size_bytes: bytes.length, mime_type: 'text/plain'};
  const upload = async (id) => {
    const at = `/api/workspaces/${id}/attachments/uploads`;
    const begun = await server.request(token, 'POST', at, about);
    if (begun.status === 'already_exists') return begun.status;
    assert.equal((await server.ask('PUT', `${at}/${begun.upload_id}/parts/1`, {token, raw: bytes, type: 'application/octet-stream'})).status, 200);
    await server.request(token, 'POST', `${at}/${begun.upload_id}/complete`, about);
    return 'uploaded';
  };
  const [one, two] = [await server.workspace(token, 'one'), await server.workspace(token, 'two')];
  assert.equal(await upload(one), 'uploaded');
  assert.equal(await upload(two), 'already_exists');
  assert.equal(blobs(), 1);
  await server.request(token, 'DELETE', `/api/workspaces/${one}`);
  await server.restart();  // housekeeping begins at once
  const collected = async () => Number((await server.ask('GET', '/metrics', {token})).text.match(/blobs_collected_total (\d+)/)[1]);
  assert.equal(await collected(), 0);
  assert.equal((await server.ask('GET', `/api/workspaces/${two}/attachments/${hash}`, {token})).text, bytes);
  await server.request(token, 'DELETE', `/api/workspaces/${two}`);
  await server.restart();
  await until('the blob to go', () => blobs() === 0);  // by this server, or on a busy machine by the one before it
  const three = await server.workspace(token, 'three');
  assert.equal(await upload(three), 'uploaded');
  assert.equal((await server.ask('GET', `/api/workspaces/${three}/attachments/${hash}`, {token})).text, bytes);
});

test('a stop while attachments are taken away leaves none of them behind', async () => {
  const stopped = await Server.start({options: ['--blob-hours', '0']});
  try {
    const key = stopped.token();
    const left = () => readdirSync(`${stopped.folder}/blobs`, {recursive: true}).filter((name) => /[0-9a-f]{64}$/.test(name)).length;
    for (let round = 0; round < 3; ++round) {
      const id = await stopped.workspace(key);
      const files = Object.fromEntries([...Array(40).keys()].map((i) => [`${i}.bin`, `${round} ${i}`]));
      assert.equal((await stopped.ask('POST', `/api/workspaces/${id}/snapshot`, {token: key, raw: zip(files), type: 'application/zip'})).status, 200);
      await stopped.request(key, 'DELETE', `/api/workspaces/${id}`);
      const before = left();
      await stopped.restart();  // housekeeping begins at once
      await until('some are gone', () => left() < before);
      await stopped.restart();  // in the middle of it
    }
    await until('all are gone', () => left() === 0);
  } finally {
    await stopped.end();
  }
});
