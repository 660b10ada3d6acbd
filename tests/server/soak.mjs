// Half an hour of connect storms and document churn: memory, descriptors and the write-ahead log must stay flat.
//
//   DX_SYNCD=build/release/bin/diaryx-syncd node tests/server/soak.mjs [--minutes 30] [--every 30] [--only-errors]
//
// Each round makes a workspace, lets a storm of devices and editors come at once, open documents that are new to the server, write, ask
// and go (half of them without a word), asks the HTTP side for its share, and removes the workspace. A line is printed every so many
// seconds. Exit code 1 if the last third holds noticeably more than the middle one. A sanitizer keeps memory of its own: with
// --only-errors only what the server says and who was not served counts.
import {createHash, randomBytes} from 'node:crypto';
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {WebSocket} from 'ws';
import * as Y from 'yjs';
import {frame, step1, update} from './device.mjs';
import {Server} from './server.mjs';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const minutes = option('minutes', 30);
const every = option('every', 30);
const onlyErrors = process.argv.includes('--only-errors');
const visitors = 40;
const documents = 4;

const server = await Server.start({options: ['--log-level', 'warn', '--address-requests', '0', '--user-requests', '0', '--token-requests', '0']});
const token = server.token();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const counts = {rounds: 0, sockets: 0, updates: 0, requests: 0, unanswered: 0};

function letters(text) {
  const doc = new Y.Doc();
  doc.getText('body').insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

/// One visitor: opens documents, writes to each, waits for a receipt or the echo of its question, goes.
async function visit(workspace, number) {
  const editor = number % 4 === 0;
  const name = (document) => `${randomBytes(4).toString('hex')}-${document}.md`;
  const socket = new WebSocket(editor ? `${server.ws}/yjs/${workspace}/${name(0)}?token=${token}` : `${server.ws}/sync2?token=${token}&handshake=0`);
  let answers = 0;
  socket.on('message', () => { ++answers; });
  socket.on('error', () => {});
  await new Promise((resolve) => { socket.once('open', resolve); socket.once('close', resolve); });
  if (socket.readyState !== WebSocket.OPEN) { ++counts.unanswered; return; }
  ++counts.sockets;
  for (let document = 0; document < (editor ? 1 : documents); document++) {
    const prefix = editor ? (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part))) : (...parts) => frame(`body:${workspace}/${name(document)}`, ...parts);
    const doc = new Y.Doc();
    socket.send(prefix(step1(doc)));
    for (let i = 0; i < 5; i++) { socket.send(prefix(update(letters(randomBytes(200).toString('hex'))))); ++counts.updates; }
  }
  const end = Date.now() + 20_000;
  while (answers < 3 && Date.now() < end) await pause(20);
  if (answers < 3) ++counts.unanswered;
  await pause(Math.random() * 2000);
  const gone = new Promise((resolve) => socket.once('close', resolve));
  number % 2 === 0 ? socket.terminate() : socket.close();
  await gone;
}

async function attach(workspace) {
  const bytes = randomBytes(100_000);
  const about = {attachment_path: 'a.bin', hash: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length, mime_type: 'image/png'};
  const at = `/api/workspaces/${workspace}/attachments/uploads`;
  const {upload_id} = await server.request(token, 'POST', at, about);
  await server.ask('PUT', `${at}/${upload_id}/parts/1`, {token, raw: bytes, type: 'application/octet-stream'});
  await server.request(token, 'POST', `${at}/${upload_id}/complete`, about);
  counts.requests += 3;
}

async function round() {
  const workspace = await server.workspace(token, `soak ${counts.rounds}`);
  await Promise.all([...Array(visitors).keys()].map((number) => visit(workspace, number)));
  await attach(workspace);
  for (const path of [`/api/workspaces/${workspace}/snapshot`, '/api/user/storage', '/health', '/metrics']) {
    await (await fetch(server.http + path, {headers: {Authorization: `Bearer ${token}`}})).arrayBuffer();
    ++counts.requests;
  }
  await server.request(token, 'DELETE', `/api/workspaces/${workspace}`);
  counts.requests += 2;
  ++counts.rounds;
}

const size = (file) => { try { return statSync(`${server.folder}/${file}`).size; } catch { return 0; } };

function look(began) {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  const resident = Number(status.match(/VmRSS:\s+(\d+)/)[1]) * 1024;
  return {
    seconds: Math.round((Date.now() - began) / 1000), resident, descriptors: readdirSync(`/proc/${server.child.pid}/fd`).length,
    wal: size('server.db-wal'), database: size('server.db'), ...counts,
  };
}

const mean = (list, key) => list.reduce((sum, one) => sum + one[key], 0) / list.length;
const MB = (bytes) => (bytes / 1e6).toFixed(1).padStart(8);

console.log('seconds  resident MB  descriptors    WAL MB  database MB  rounds  sockets  updates  requests  not served');
const began = Date.now();
const seen = [];
let stop = false;
const ticker = setInterval(() => {
  const one = look(began);
  seen.push(one);
  console.log(`${String(one.seconds).padStart(7)}  ${MB(one.resident).padStart(11)}  ${String(one.descriptors).padStart(11)}  ${MB(one.wal)}  ${MB(one.database).padStart(11)}  ${[one.rounds, one.sockets, one.updates, one.requests, one.unanswered].join('  ')}`);
  if (Date.now() - began > minutes * 60_000) stop = true;
}, every * 1000);
const quiet = [];  // descriptors when every visitor of a round is gone: in a storm their number is that of who is there
while (!stop) {
  await round();
  await pause(2000);
  quiet.push({descriptors: readdirSync(`/proc/${server.child.pid}/fd`).length});
}
clearInterval(ticker);
let good = true;
for (const [key, slack] of [['resident', 3e6], ['descriptors', 10], ['wal', 1e6]]) {
  const looks = key === 'descriptors' ? quiet : seen;
  const third = Math.floor(looks.length / 3);
  const [before, after] = [mean(looks.slice(third, 2 * third), key), mean(looks.slice(2 * third), key)];
  const flat = after <= before * 1.05 + slack;
  good &&= flat || onlyErrors;
  console.log(`${key}: ${Math.round(before)} in the middle third, ${Math.round(after)} in the last: ${flat ? 'flat' : 'GROWS'}`);
}
console.log(`visitors that were not served: ${counts.unanswered}`);
if (server.log.includes('error')) console.log(server.log.slice(-2000));
await server.end();
process.exit(good && counts.unanswered === 0 ? 0 : 1);
