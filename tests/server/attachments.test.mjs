// Attachments over HTTP: in parts, gone on with, checked, kept once, read in pieces.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {readdirSync, rmSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {Server} from './server.mjs';

let server;
let token;
let workspace;
before(async () => {
  server = await Server.start({options: ['--owner', 'me@example.org']});
  token = server.token();
  workspace = await server.workspace(token);
});
after(() => server.end());

const partSize = 1000;
const piece = (bytes, part) => bytes.subarray((part - 1) * partSize, part * partSize);
const blobs = () => readdirSync(`${server.folder}/blobs`, {recursive: true}).filter((name) => /[0-9a-f]{64}$/.test(name)).length;

/// An upload of `bytes` as one device sees it.
function upload(bytes, {as = token, to = workspace, path = 'a.bin'} = {}) {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const about = {attachment_path: path, hash, size_bytes: bytes.length, mime_type: 'image/png', part_size: partSize};
  const at = `/api/workspaces/${to}/attachments/uploads`;
  const one = {
    hash, id: null,
    async start() {
      const begun = await server.request(as, 'POST', at, about);
      one.id = begun.upload_id;
      return begun;
    },
    put: (part, raw = piece(bytes, part)) =>
      server.ask('PUT', `${at}/${one.id}/parts/${part}`, {token: as, raw, type: 'application/octet-stream'}),
    complete: () => server.ask('POST', `${at}/${one.id}/complete`, {token: as, body: about}),
  };
  return one;
}

async function fetched(hash, {range, ...who} = {token}) {
  const query = who.session ? `?session=${who.session}` : '';
  const answer = await fetch(`${server.http}/api/workspaces/${workspace}/attachments/${hash}${query}`,
                             {headers: {...(who.token ? {Authorization: `Bearer ${who.token}`} : {}), ...(range ? {Range: range} : {})}});
  return {status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()), range: answer.headers.get('content-range')};
}

test('an upload that was cut off by kill -9 goes on where it was', async () => {
  const bytes = randomBytes(4500);
  const one = upload(bytes);
  assert.deepEqual((await one.start()).uploaded_parts, []);
  for (const part of [1, 3]) assert.equal((await one.put(part)).status, 200);
  await server.restart('SIGKILL');
  const again = upload(bytes);
  const begun = await again.start();
  assert.deepEqual([begun.upload_id, begun.status, begun.part_size, begun.uploaded_parts], [one.id, 'uploading', partSize, [1, 3]]);
  const early = await again.complete();
  assert.deepEqual([early.status, early.json.missing_parts], [409, [2, 4, 5]]);
  assert.equal((await again.put(5, piece(bytes, 4))).status, 400, 'the last part is shorter');
  for (const part of [2, 4, 5]) assert.equal((await again.put(part)).status, 200);
  assert.equal((await again.complete()).status, 200);
  assert.deepEqual((await fetched(one.hash)).bytes, bytes);
  assert.equal((await upload(bytes).start()).status, 'already_exists');
});

test('two devices that send one file at once share the work, and both are told that it is there', async () => {
  const bytes = randomBytes(2500);
  const [one, two] = [upload(bytes), upload(bytes, {as: server.token()})];
  await one.start();
  await one.put(1);
  assert.deepEqual((await two.start()).uploaded_parts, [1]);
  assert.equal(two.id, one.id);
  for (const part of [2, 3]) await one.put(part);
  assert.equal((await one.complete()).status, 200);
  assert.equal((await two.put(3)).status, 200);
  assert.equal((await two.complete()).status, 200);
});

test('many who complete an upload at once are all told that it is there', async () => {
  for (const size of [1000, 300_000]) {
    const bytes = randomBytes(size);
    const one = upload(bytes, {path: `together ${size}`});
    await one.start();
    for (let part = 1; part <= Math.ceil(size / partSize); ++part) assert.equal((await one.put(part)).status, 200);
    const answers = await Promise.all(Array.from({length: 12}, () => one.complete()));
    assert.deepEqual(answers.map(({status}) => status), Array(12).fill(200), answers.map(({text}) => text).join('\n'));
    assert.ok((await fetched(one.hash)).bytes.equals(bytes));
  }
});

test('wrong bytes are not believed, and the right ones can be sent after them', async () => {
  const bytes = randomBytes(1500);
  const one = upload(bytes);
  await one.start();
  await one.put(1, randomBytes(1000));
  await one.put(2);
  const refused = await one.complete();
  assert.equal(refused.status, 400);
  assert.match(refused.json.error, /SHA-256/);
  assert.equal((await fetched(one.hash)).status, 404);
  assert.deepEqual((await one.start()).uploaded_parts, []);
  for (const part of [1, 2]) await one.put(part);
  assert.equal((await one.complete()).status, 200);
  assert.deepEqual((await fetched(one.hash)).bytes, bytes);
});

test('equal files are kept once for a user, and never shared with another', async () => {
  const bytes = randomBytes(1200);
  const other = await server.workspace(token, 'more notes');
  const before = blobs();
  const one = upload(bytes);
  await one.start();
  for (const part of [1, 2]) await one.put(part);
  await one.complete();
  assert.equal((await upload(bytes, {to: other, path: 'b.bin'}).start()).status, 'already_exists');
  assert.equal(blobs(), before + 1);
  const stranger = server.token('stranger@example.org');
  const theirs = upload(bytes, {as: stranger, to: await server.workspace(stranger)});
  assert.equal((await theirs.start()).status, 'uploading', 'knowing a hash is not having the file');
  assert.equal((await fetched(one.hash, {token: stranger})).status, 404);
});

test('what is sent and never completed has its limit, too', async () => {
  const small = await Server.start({options: ['--attachment-limit', '2000']});
  try {
    const key = small.token();
    const at = `/api/workspaces/${await small.workspace(key)}/attachments/uploads`;
    const begin = async (bytes) => {
      const about = {attachment_path: 'a.bin', hash: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length, mime_type: 'image/png', part_size: partSize};
      const {upload_id} = await small.request(key, 'POST', at, about);
      return {put: (part) => small.ask('PUT', `${at}/${upload_id}/parts/${part}`, {token: key, raw: piece(bytes, part), type: 'application/octet-stream'}),
              complete: () => small.ask('POST', `${at}/${upload_id}/complete`, {token: key, body: about})};
    };
    const [one, two] = [await begin(randomBytes(1500)), await begin(randomBytes(1500))];
    for (const part of [1, 2]) assert.equal((await one.put(part)).status, 200);
    const refused = await two.put(1);
    assert.equal(refused.status, 413);
    assert.match(refused.json.error, /not completed take up 1500 bytes/);
    assert.equal((await one.put(1)).status, 200, 'what is there can be sent again');
    assert.equal((await one.complete()).status, 200);
    for (const part of [1, 2]) assert.equal((await two.put(part)).status, 200);
    assert.equal((await two.complete()).status, 413, 'and what is complete counts as before');
  } finally {
    await small.end();
  }
});

test('what a client has already is not sent again, and what the disk lost is said', async () => {
  const bytes = randomBytes(2000);
  const one = upload(bytes);
  await one.start();
  for (const part of [1, 2]) await one.put(part);
  await one.complete();
  const get = (headers, method = 'GET') => server.ask(method, `/api/workspaces/${workspace}/attachments/${one.hash}`, {token, headers});
  const tag = `"${one.hash}"`;
  for (const known of [tag, `"other", W/${tag}`, '*']) {
    const same = await get({'If-None-Match': known, Range: 'bytes=0-9'});
    assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', tag], known);
  }
  assert.equal((await get({'If-None-Match': '"other"'})).status, 200);
  assert.equal((await get({'If-None-Match': '"other"', Range: 'bytes=0-9'})).status, 206);
  // Whoever lost access does not go on from a cache.
  assert.equal((await get({})).headers.get('cache-control'), 'private, no-cache');
  rmSync(`${server.folder}/blobs/${readdirSync(`${server.folder}/blobs`, {recursive: true}).find((name) => name.endsWith(one.hash))}`);
  for (const method of ['GET', 'HEAD']) assert.equal((await get({}, method)).status, 500);
  assert.match((await get({})).json.error, /bytes of this attachment are missing on the server/);
  assert.match(server.log, new RegExp(`error .*${one.hash} .*missing`));
});

test('pieces of an attachment, for owner and guest', async () => {
  const bytes = randomBytes(2000);
  const one = upload(bytes);
  await one.start();
  for (const part of [1, 2]) await one.put(part);
  await one.complete();
  const share = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only: true});
  for (const who of [{token}, {session: share.code}]) {
    for (const [range, status, from, to] of [
      [undefined, 200, 0, 2000], ['bytes=10-19', 206, 10, 20], ['bytes=1990-', 206, 1990, 2000], ['bytes=-5', 206, 1995, 2000],
      ['bytes=1990-9999', 206, 1990, 2000], ['bytes=2000-', 416, 0, 0], ['lines=1-2', 200, 0, 2000], ['bytes=0-0,5-6', 200, 0, 2000],
    ]) {
      const got = await fetched(one.hash, {...who, range});
      assert.equal(got.status, status, range);
      assert.deepEqual(got.bytes, bytes.subarray(from, to), range);
      if (status === 206) assert.equal(got.range, `bytes ${from}-${to - 1}/2000`);
      if (status === 416) assert.equal(got.range, 'bytes */2000');
    }
  }
  // A range is of GET only, and 304 has no length but that of the file.
  const head = (headers) => fetch(`${server.http}/api/workspaces/${workspace}/attachments/${one.hash}`,
                                  {method: 'HEAD', headers: {Authorization: `Bearer ${token}`, ...headers}});
  const whole = await head({Range: 'bytes=10-19'});
  assert.deepEqual([whole.status, whole.headers.get('content-length')], [200, '2000']);
  const known = await head({'If-None-Match': whole.headers.get('etag')});
  assert.deepEqual([known.status, known.headers.get('content-length')], [304, null]);
});
