// A server that stops while everybody is in the middle of something: what is said to be there is there, and clients come back.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {connect} from 'node:net';
import {after, before, beforeEach, test} from 'node:test';
import {HocuspocusProvider, HocuspocusProviderWebsocket} from '@hocuspocus/provider';
import {WebSocket} from 'ws';
import {WebsocketProvider} from 'y-websocket';
import * as Y from 'yjs';
import {Device} from './device.mjs';
import {EditorSocket} from './editor_socket.mjs';
import {Server, run, until} from './server.mjs';

let server;
let token;
let workspace;
before(async () => {
  server = await Server.start({options: ['--owner', 'me@example.org']});
  token = server.token();
  workspace = await server.workspace(token);
});
beforeEach(async () => {
  if (server.child.exitCode !== null) await server.open(server.port);
});
after(() => server.end());

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// Stops the server; {code, took_ms}.
async function stop() {
  const began = Date.now();
  return {code: await server.stop(), took_ms: Date.now() - began};
}

/// HTTP by hand, so that the client is as slow as it likes. `heard()` is the answer so far.
function slowly(head) {
  const socket = connect(server.port, '127.0.0.1');
  const pieces = [];
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.on('data', (bytes) => pieces.push(bytes));
  socket.write(`${head}\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n`);
  return {socket, closed, heard: () => Buffer.concat(pieces)};
}

const partSize = 4000;
const uploads = () => `/api/workspaces/${workspace}/attachments/uploads`;
async function announce(bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex');
  const about = {attachment_path: `${hash}.bin`, hash, size_bytes: bytes.length, mime_type: 'image/png', part_size: Math.min(bytes.length, partSize)};
  const begun = await server.request(token, 'POST', uploads(), about);
  return {hash, about, id: begun.upload_id, parts: begun.uploaded_parts};
}
const put = (id, part, raw) => server.ask('PUT', `${uploads()}/${id}/parts/${part}`, {token, raw, type: 'application/octet-stream'});

test('everybody who types is told to come back, does, and nothing that was confirmed is lost', async () => {
  const id = (key) => `body:${workspace}/${key}.md`;
  const typists = [];
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  const doc = await device.open(id('device'));
  const yDoc = new Y.Doc();
  const yjs = new WebsocketProvider(`${server.ws}/yjs`, `${workspace}/yjs.md`, yDoc, {WebSocketPolyfill: EditorSocket, disableBc: true, maxBackoffTime: 100, params: {token}});
  const hDoc = new Y.Doc();
  const hSocket = new HocuspocusProviderWebsocket({url: `${server.ws}/hocuspocus`, WebSocketPolyfill: EditorSocket, delay: 50, minDelay: 20, jitter: false});
  const hocuspocus = new HocuspocusProvider({websocketProvider: hSocket, name: `${workspace}/hocuspocus.md`, document: hDoc, token});
  hocuspocus.attach();
  const stranger = new WebSocket(`${server.ws}/hocuspocus`);
  const strangerClosed = new Promise((resolve) => stranger.once('close', resolve));
  await until('all are in step', () => yjs.synced && hocuspocus.isSynced && stranger.readyState === WebSocket.OPEN);
  const yClosed = new Promise((resolve) => yjs.ws.once('close', resolve));
  const codes = {};
  hocuspocus.on('close', ({event}) => { codes.hocuspocus ??= event.code; });
  // Letters as fast as they go, before, while and after the server stops.
  for (const one of [doc, yDoc, hDoc]) typists.push(setInterval(() => one.getText('body').insert(one.getText('body').length, 'x'), 1).unref());
  await pause(300);
  const {code, took_ms} = await stop();
  assert.equal(code, 0);
  assert.ok(took_ms < 5000, `${took_ms} ms`);
  await until('the device is told', () => device.closed !== null);
  assert.deepEqual([device.closed, await yClosed, await strangerClosed], [1001, 1001, 1001]);
  await until('the Hocuspocus client is told', () => codes.hocuspocus !== undefined);
  assert.equal(codes.hocuspocus, 1001);
  // The first is no letter, but what the device answered when it opened the document.
  const confirmed = Math.max(1, ...device.texts.filter(({type, doc: name}) => type === 'saved' && name === id('device')).map(({received}) => received)) - 1;
  assert.ok(confirmed > 10, `${confirmed} updates were confirmed`);
  await pause(50);
  for (const typist of typists) clearInterval(typist);
  await server.open(server.port);
  const reader = await Device.connect(server, `token=${token}&handshake=0`);
  const seen = {};
  for (const key of ['device', 'yjs', 'hocuspocus']) seen[key] = await reader.open(id(key));
  const text = (one) => one.getText('body').toString();
  await until('what was confirmed', () => text(seen.device).length >= confirmed);
  await until('all that editors typed', () => text(seen.yjs) === text(yDoc) && text(seen.hocuspocus) === text(hDoc));
  assert.ok(text(doc).startsWith(text(seen.device)), 'and nothing is doubled');
  for (const one of [yjs, hocuspocus, hSocket, yDoc, hDoc]) one.destroy();
  reader.end();
});

test('an upload and a download that are under way are finished', async () => {
  const large = randomBytes(24 << 20);
  const kept = {hash: createHash('sha256').update(large).digest('hex')};
  const about = {attachment_path: 'large.bin', hash: kept.hash, size_bytes: large.length, mime_type: 'image/png', part_size: large.length};
  const {upload_id} = await server.request(token, 'POST', uploads(), about);
  assert.equal((await put(upload_id, 1, large)).status, 200);
  assert.equal((await server.ask('POST', `${uploads()}/${upload_id}/complete`, {token, body: about})).status, 200);

  const bytes = randomBytes(partSize);
  const one = await announce(bytes);
  const upload = slowly(`PUT ${uploads()}/${one.id}/parts/1 HTTP/1.1`);
  upload.socket.write(`Content-Type: application/octet-stream\r\nContent-Length: ${partSize}\r\n\r\n`);
  const download = slowly(`GET /api/workspaces/${workspace}/attachments/${kept.hash} HTTP/1.1`);
  download.socket.write('\r\n');
  await until('it begins', () => download.heard().length > 0);
  download.socket.pause();
  const half = Promise.all([(async () => {
    for (let at = 0; at < partSize; at += partSize / 8) {
      upload.socket.write(bytes.subarray(at, at + partSize / 8));
      await pause(400);
    }
  })(), pause(3000).then(() => download.socket.resume())]);
  await pause(100);
  const {code, took_ms} = await stop();
  await half;
  await Promise.all([upload.closed, download.closed]);
  assert.equal(code, 0);
  assert.ok(took_ms > 2500 && took_ms < 9000, `${took_ms} ms`);
  assert.match(upload.heard().toString(), /^HTTP\/1\.1 200 [^]*Connection: close/);
  const answer = download.heard();
  assert.ok(answer.subarray(answer.indexOf('\r\n\r\n') + 4).equals(large), `${answer.length} bytes`);
  await server.open(server.port);
  assert.deepEqual((await announce(bytes)).parts, [1], 'what was confirmed is there');
});

test('whoever never comes to an end is cut off in time, leaves nothing behind, and goes on afterwards', async () => {
  const bytes = randomBytes(3 * partSize);
  const one = await announce(bytes);
  assert.equal((await put(one.id, 1, bytes.subarray(0, partSize))).status, 200);
  const upload = slowly(`PUT ${uploads()}/${one.id}/parts/2 HTTP/1.1`);
  upload.socket.write(`Content-Type: application/octet-stream\r\nContent-Length: ${partSize}\r\n\r\nhalf of it`);
  const deaf = connect(server.port, '127.0.0.1');  // a socket that never answers the close
  deaf.on('error', () => {});
  deaf.write(`GET /sync2?token=${token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`);
  const idle = connect(server.port, '127.0.0.1');  // kept open with nothing asked
  idle.on('error', () => {});
  await pause(200);
  const {code, took_ms} = await stop();
  await upload.closed;
  assert.equal(code, 0);
  assert.ok(took_ms > 9000 && took_ms < 11_500, `${took_ms} ms`);
  assert.match(server.log, /warn.* stopped after 10 s: 1 requests were cut off, and everything received is stored/);
  assert.equal(upload.heard().length, 0);
  await server.open(server.port);
  assert.deepEqual(readdirSync(`${server.folder}/receiving`), [], 'half a body is taken away');
  const again = await announce(bytes);
  assert.deepEqual([again.id, again.parts], [one.id, [1]]);
  for (const part of [2, 3]) assert.equal((await put(one.id, part, bytes.subarray((part - 1) * partSize, part * partSize))).status, 200);
  assert.equal((await server.ask('POST', `${uploads()}/${one.id}/complete`, {token, body: one.about})).status, 200);
  const kept = await fetch(`${server.http}/api/workspaces/${workspace}/attachments/${one.hash}`, {headers: {Authorization: `Bearer ${token}`}});
  assert.ok(Buffer.from(await kept.arrayBuffer()).equals(bytes));
  assert.equal(run(['verify', '--data', server.folder]).code, 0);
});

test('sockets that do not answer the goodbye, and connections with nothing asked, hold nothing up', async () => {
  const idle = connect(server.port, '127.0.0.1');
  idle.on('error', () => {});
  const kept = slowly('GET /health HTTP/1.1');
  kept.socket.write('\r\n');
  await until('it is answered', () => kept.heard().length > 0);
  assert.match(server.log, /info .*version \d+\.\d+\.\d+ serves .* at 127\.0\.0\.1:\d+, lineage [0-9a-f]{32}/);
  assert.ok((await stop()).took_ms < 1000);
  assert.match(server.log, /info .*stopped, and everything received is stored/);
  await server.open(server.port);
  const deaf = slowly(`GET /sync2?token=${token} HTTP/1.1`);
  deaf.socket.write('Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  await until('it is open', () => /^HTTP\/1\.1 101/.test(deaf.heard().toString('latin1')));
  const {took_ms} = await stop();
  assert.ok(took_ms < 4000, `${took_ms} ms`);
});
