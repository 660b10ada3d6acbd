// Strangers who mean ill: each gets a clear refusal or is cut, and the server goes on serving others.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {connect} from 'node:net';
import {after, before, test} from 'node:test';
import {gzipSync} from 'node:zlib';
import {WebSocket} from 'ws';
import {Device, frame} from './device.mjs';
import {Server, until} from './server.mjs';
import {zipOf} from './zip.mjs';

let server;
let token;
let workspace;

before(async () => {
  server = await Server.start({options: ['--max-connections-per-address', '40', '--cors-origin', 'https://app.example']});
  token = server.token();
  workspace = await server.workspace(token);
});
after(() => server.end());

/// Sends bytes, and `then` once something came back; all that came until the server closed.
function raw(bytes, then) {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data) => {
      if (then && answer === '') socket.write(then);
      answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
const alive = async () => assert.equal((await server.ask('GET', '/health')).status, 200);
const status = (answer) => Number(answer.split(' ')[1]);

test('paths and headers with tricks in them', async () => {
  const get = (target, more = '') => raw(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n`);
  for (const [target, expected] of [
    ['/../../etc/passwd', 404], ['/%2e%2e/%2e%2e/etc/passwd', 404], ['//health', 404], ['/health/', 404], ['/health%00', 404],
    ['/health?x=%zz', 400], ['/health?x=%ff', 400], ['/api/workspaces/%ff', 404], ['health', 400],
    ['http://elsewhere/health', 200], ['http://elsewhere/../../etc/passwd', 404], ['http://elsewhere//health', 404], ['http://me@elsewhere/health', 400],
    ['http:///health', 400], ['http:/health', 400], ['ftp://elsewhere/health', 400], ['elsewhere:80', 400],
    [`/api/workspaces/..%2f..%2fserver.db`, 404], [`/${'a'.repeat(5000)}`, 404],
  ]) {
    const asked = target.startsWith('/api/workspaces') ? await get(target, `Authorization: Bearer ${token}\r\n`) : await get(target);
    assert.equal(status(asked), expected, target.slice(0, 60));
  }
  assert.equal(status(await raw('NONSENSE\r\n\r\n')), 400);
  assert.equal(status(await raw('GET /health HTTP/1.1\r\nHost: x\r\nX: ' + 'a'.repeat(40_000) + '\r\n\r\n')), 431);
  assert.equal(status(await get('/health', 'Bad Header : x\r\n')), 400);
  assert.equal(status(await get('/health', 'X: a\u0000b\r\n')), 400);
  // Smuggling: a body that two servers would measure differently. Whatever stands behind it must not be taken for a request.
  const hidden = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const [first, lines, body = ''] of [
    ['POST /auth/verify', 'Content-Length: 4\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['POST /auth/verify', 'Transfer-Encoding: xchunked'], ['POST /auth/verify', 'Transfer-Encoding: identity'],
    ['POST /auth/verify', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n'], ['POST /auth/verify', 'Transfer-Encoding: gzip, chunked', '0\r\n\r\n'],
    ['POST /auth/verify', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['POST /auth/verify', 'Content-Length: 2\r\nContent-Length: 4', '{}'],
    ['OPTIONS /health', `Content-Length: ${hidden.length}`], ['OPTIONS /health', 'Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['GET /sync2', `Content-Length: ${hidden.length}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer ${token}`],
  ]) {
    const answer = await raw(`${first} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}${hidden}`);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, `${first} ${lines}: ${answer}`);
    assert.match(answer, first.startsWith('OPTIONS') ? /^HTTP\/1\.1 204 [^]*Connection: close/ : /^HTTP\/1\.1 (400|501) /, lines);
  }
  await alive();
});

test('bodies that are too large, lie about their length, or never come', async () => {
  const post = (path, body, type = 'application/json') => server.ask('POST', path, {raw: body, type});
  assert.equal((await post('/auth/verify', JSON.stringify({token: 'x'.repeat(20_000)}))).status, 413);
  assert.equal(status(await raw('POST /auth/verify HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n')), 413);
  assert.equal(status(await raw('POST /auth/verify HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n')), 400);
  assert.equal(status(await raw('POST /auth/verify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n')), 400);
  assert.equal((await post('/auth/verify', '{"token":'.repeat(1500))).status, 400);
  assert.equal((await post('/auth/verify', '['.repeat(10_000))).status, 400);
  assert.equal((await post('/auth/verify', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))).status, 400);
  // A stranger's snapshot is refused before a byte of it is read.
  assert.equal(status(await raw(`POST /api/workspaces/${workspace}/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n`)), 401);
  await alive();
});

test('a refusal is heard by who is still sending', async () => {
  const bytes = 20 << 20;
  for (const [what, key, expected] of [['a stranger', '', 401], ['a part that is too large', `Authorization: Bearer ${token}\r\n`, 413]]) {
    const heard = await new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', reject);
      socket.write(`PUT /api/workspaces/${workspace}/attachments/uploads/x/parts/1 HTTP/1.1\r\nHost: x\r\n${key}Content-Length: ${bytes * 2}\r\n\r\n`);
      socket.write(Buffer.alloc(bytes), () => socket.once('data', (answer) => { resolve(status(answer.toString())); socket.destroy(); }));
    });
    assert.equal(heard, expected, what);
  }
});

test('whoever is slow before anybody knows them is sent away', async () => {
  const begun = (bytes, port = server.port) => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { if (bytes) socket.write(bytes); });
    // A byte now and then does not make it welcome.
    const drip = setInterval(() => { if (bytes) socket.write('a'); }, 1000);
    socket.on('error', () => {});
    socket.resume();
    socket.on('close', () => { clearInterval(drip); resolve('sent away'); });
  });
  const silentEditor = new Promise((resolve) => {
    new WebSocket(`${server.ws}/hocuspocus`).on('error', () => {}).once('close', (code) => resolve(code));
  });
  const ends = await Promise.race([
    Promise.all([begun(null), begun('GET /health HTTP/1.1\r\nX: '), begun('POST /auth/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'), silentEditor]),
    new Promise((resolve) => { setTimeout(resolve, 90_000, 'they stayed').unref(); }),
  ]);
  assert.deepEqual(ends, ['sent away', 'sent away', 'sent away', 4401]);
});

test('one user, and one token, may ask so often and no more', async () => {
  for (const [option, ofOne, ofAnother] of [['--token-requests', 429, 200], ['--user-requests', 429, 429]]) {
    const strict = await Server.start({options: [option, '5']});
    try {
      const [first, second, stranger] = [strict.token(), strict.token(), strict.token('other@example.org')];
      const ask = (key) => strict.ask('GET', '/auth/devices', {token: key});
      for (let i = 0; i < 5; ++i) assert.equal((await ask(first)).status, 200);
      const refused = await ask(first);
      assert.equal(refused.status, ofOne, option);
      assert.ok(Number(refused.headers.get('retry-after')) >= 1);
      assert.equal((await ask(second)).status, ofAnother, `another token of the same user: ${option}`);
      assert.equal((await ask(stranger)).status, 200, `another user: ${option}`);
      // A socket is asked about like a request, and nothing waits for the body of one that is refused.
      const device = await Device.connect(strict, `token=${first}`);
      assert.equal(device.status, 429, option);
    } finally {
      await strict.end();
    }
  }
});

test('pages of other origins neither open sockets nor change anything', async () => {
  const from = (origin, path, method = 'POST') =>
    server.ask(method, path, {token, headers: {Origin: origin}, ...(method === 'POST' ? {body: {name: 'x'}} : {})});
  assert.equal((await from('https://evil.example', '/api/workspaces')).status, 403);
  assert.equal((await from('null', '/api/workspaces')).status, 403);
  assert.equal((await from('https://app.example', '/api/workspaces')).status, 200);
  assert.equal((await from(server.http, '/api/workspaces')).status, 409, 'its own page may');
  const read = await from('https://evil.example', '/api/workspaces', 'GET');
  assert.equal(read.headers.get('access-control-allow-origin'), null);
  const open = (origin, path) => new Promise((resolve) => {
    const socket = new WebSocket(`${server.ws}${path}?token=${token}`, {origin});
    socket.once('unexpected-response', (_, response) => { response.resume(); resolve(response.statusCode); });
    socket.once('open', () => { socket.terminate(); resolve(101); });
    socket.once('error', () => resolve(0));
  });
  for (const path of ['/sync2', '/hocuspocus', `/yjs/${workspace}/a.md`]) {
    assert.equal(await open('https://evil.example', path), 403, path);
    assert.equal(await open('https://app.example', path), 101, path);
  }
});

test('one address gets so many connections and no more; what is slow gives way to nobody else', async () => {
  const open = [];
  const refused = [];
  for (let i = 0; i < 60; ++i) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => refused.push(socket));
    // A letter now and then, never a whole request.
    socket.write('GET /hea');
    open.push(socket);
  }
  await until('the rest is refused', () => refused.length >= 20);
  open.forEach((socket) => socket.destroy());
  await until('there is room again', async () => {
    try { return (await server.ask('GET', '/health')).status === 200; } catch { return false; }
  });
});

test('frames: broken, of the wrong kind, in pieces, unmasked, without end', async () => {
  const id = `body:${workspace}/a.md`;
  const device = await Device.connect(server, `token=${token}`);
  // In pieces that belong together.
  const whole = frame(id, [0, 0, 1, 0]);
  device.follow(id);
  device.socket.send(whole.subarray(0, 3), {fin: false});
  device.socket.send(whole.subarray(3, 10), {fin: false});
  device.socket.send(whole.subarray(10), {fin: true});
  await until('answered', () => device.frames > 0);
  device.say({type: 'x'});
  device.socket.send('not json at all');
  device.socket.send(Uint8Array.of(3, 0xff, 0xfe, 0xfd));
  assert.equal((await device.hear('error')).code, 'invalid');
  for (let i = 0; i < 30; ++i) device.socket.send(Uint8Array.of(255));
  await until('cut after so many', () => device.closed === 1008);

  const upgraded = (after) => raw(
    `GET /sync2?token=${token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n', Buffer.from(after));
  for (const [what, bytes] of [
    ['no mask', [0x82, 0x01, 0x00]],
    ['a reserved bit', [0xc2, 0x81, 0, 0, 0, 0, 0]],
    ['an unknown kind', [0x83, 0x81, 0, 0, 0, 0, 0]],
    ['a large ping', [0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]],
    ['a continuation of nothing', [0x80, 0x81, 0, 0, 0, 0, 0]],
    ['text that is not UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]],
    ['a length of 2^62', [0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a text of 2 MiB, of which nothing comes', [0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]],
  ]) assert.match(await upgraded(bytes), /^HTTP\/1\.1 101/, what);  // and then the server closed
  await alive();
});

test('nothing compressed is unpacked: neither frames nor bodies', async () => {
  // Offered, and not taken: a frame that says it is compressed is refused ("a reserved bit" above).
  const socket = new WebSocket(`${server.ws}/sync2?token=${token}`, {perMessageDeflate: true});
  await new Promise((resolve) => socket.once('open', resolve));
  assert.equal(socket.extensions, '');
  socket.terminate();
  // 10 MB of spaces in some 10 KB.
  const bomb = gzipSync(Buffer.concat([Buffer.from('{"email":"x"'), Buffer.alloc(10 << 20, ' '), Buffer.from('}')]));
  for (const encoding of ['gzip', 'deflate', 'br']) {
    const answer = await server.ask('POST', '/auth/magic-link', {raw: bomb, type: 'application/json', headers: {'Content-Encoding': encoding}});
    assert.equal(answer.status, 400, encoding);
  }
  await alive();
});

test('what unpacks far goes to the disk, not to memory', async () => {
  const far = Buffer.alloc(200 << 20);
  const peak = () => Number(readFileSync(`/proc/${server.child.pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)[1]) * 1024;
  const put = (raw) => server.ask('POST', `/api/workspaces/${workspace}/snapshot?mode=merge`, {token, raw, type: 'application/zip'});
  const before = peak();
  for (const said of [far.length, 100, 0]) assert.equal((await put(zipOf([['far.bin', far, said]]))).status, 200);
  assert.equal((await put(zipOf([['far.bin', far.subarray(0, 1000), 2 ** 32 - 2]]))).status, 413, 'refused for what it says');
  assert.ok(peak() - before < 100e6, `${(peak() - before) / 1e6} MB`);
  assert.deepEqual(readdirSync(`${server.folder}/receiving`), [], 'nothing is left behind');
});

test('an editor that does not sign in is heard neither long nor at length', async () => {
  const socket = new WebSocket(`${server.ws}/hocuspocus`);
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.send(new Uint8Array(100_000));
  assert.equal(await closed, 1009);
});

test('questions of an editor that are answered at once, thousands together, are no deeper than one', async () => {
  const many = 20_000;
  const share = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only: true});
  const signIn = Buffer.from([0, 2, 0, 0]);
  const noNote = Buffer.from([1, 0x78, 0, 0, 1, 0]);
  for (const message of [signIn, noNote]) {
    const socket = new WebSocket(`${server.ws}/hocuspocus?session=${share.code}`);
    let heard = 0;
    socket.on('message', () => { ++heard; });
    await new Promise((resolve) => socket.once('open', resolve));
    socket._socket.cork();
    for (let i = 0; i < many; ++i) socket.send(message);
    socket._socket.uncork();
    const isOver = () => socket.readyState === WebSocket.CLOSED;
    await until('they are answered', () => heard === many || isOver());
    assert.equal(isOver(), message === noNote, 'only what cannot be read ends the connection');
    socket.terminate();
    await alive();
  }
});

test('presence without end is refused, and the document goes on', async () => {
  const id = `body:${workspace}/p.md`;
  const device = await Device.connect(server, `token=${token}`);
  const doc = await device.open(id);
  const state = new TextEncoder().encode(`"${'x'.repeat(70_000)}"`);
  const varint = (number) => number < 128 ? [number] : [(number & 127) | 128, ...varint(number >> 7)];
  const presence = [1, 9, 1, ...varint(state.length), ...state];
  device.socket.send(frame(id, [1, ...varint(presence.length)], presence));
  assert.equal((await device.hear('error')).code, 'too_large');
  doc.getText('body').insert(0, 'goes on');
  await device.stored();
  device.end();
});

test('a reader that does not read is cut, and costs the others nothing', async () => {
  const slow = await Server.start({options: ['--socket-queue', '200000']});
  try {
    const key = slow.token();
    const place = await slow.workspace(key);
    const id = `body:${place}/a.md`;
    const lazy = await Device.connect(slow, `token=${key}`);
    await lazy.open(id);
    lazy.socket.pause();
    const writer = await Device.connect(slow, `token=${key}`);
    const doc = await writer.open(id);
    let sent = 0;
    await until('the lazy one is cut', async () => {
      if (sent < 400) doc.getText('body').insert(0, 'y'.repeat(100_000));
      ++sent;
      await writer.stored();
      return slow.log.includes('reads too slowly');
    });
    writer.end();
    lazy.end();
  } finally {
    await slow.end();
  }
});
