// Who may do what: one table, every endpoint and every message, seven kinds of visitor.
//
// The table has to name each operation of /openapi.json, and each answer has to be one that the description allows, so a
// new endpoint cannot be forgotten here, nor a status there.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {after, before, test} from 'node:test';
import {WebSocket} from 'ws';
import {description as written} from './described.mjs';
import {Server, run, until} from './server.mjs';

let server;
let description;
const roles = ['owner', 'other', 'readGuest', 'writeGuest', 'revoked', 'expired', 'none'];
const world = {};       // ids and codes
const credentials = {}; // per role: {token?, session?}

const bytes = 'an attachment';
const hash = createHash('sha256').update(bytes).digest('hex');
const announcement = {attachment_path: 'a.txt', hash, size_bytes: bytes.length, mime_type: 'text/plain'};

/// A token that ended: there is no waiting for one, so its record is changed.
async function expiredToken() {
  const token = run(['token', 'create', '--data', server.folder, '--user', 'late@example.org', '--expires-days', '1']).out.trim();
  await server.stop();
  const {code, err} = run(['--check-config', '--data', server.folder]);
  assert.equal(code, 0, err);
  const {execFileSync} = await import('node:child_process');
  const digest = createHash('sha256').update(token).digest('hex');
  execFileSync('sqlite3', [`${server.folder}/server.db`, `UPDATE tokens SET expires_ms=1 WHERE hash=x'${digest}'`]);
  await server.open(server.port);
  return token;
}

before(async () => {
  server = await Server.start({options: ['--address-sign-ins', '0', '--address-refusals', '0', '--owner', 'owner@example.org']});
  credentials.owner = {token: server.token('owner@example.org')};
  credentials.other = {token: server.token('other@example.org')};
  credentials.expired = {token: await expiredToken()};
  credentials.none = {};
  const owner = credentials.owner.token;
  world.workspace = await server.workspace(owner);
  const made = await server.request(owner, 'POST', `/api/workspaces/${world.workspace}/attachments/uploads`, announcement);
  const at = `/api/workspaces/${world.workspace}/attachments/uploads/${made.upload_id}`;
  assert.equal((await server.ask('PUT', `${at}/parts/1`, {token: owner, raw: bytes, type: 'application/octet-stream'})).status, 200);
  world.upload = made.upload_id;
  await server.request(owner, 'POST', `${at}/complete`, announcement);
  const share = (read_only) => server.request(owner, 'POST', '/api/share/sessions', {workspace_id: world.workspace, read_only});
  credentials.readGuest = {session: (await share(true)).code};
  credentials.writeGuest = {session: (await share(false)).code};
  world.code = (await share(true)).code;
  const revoked = server.token('owner@example.org');
  assert.equal((await server.ask('POST', '/auth/logout', {token: revoked})).status, 204);
  credentials.revoked = {token: revoked};
  world.device = (await server.request(owner, 'GET', '/auth/devices'))[0].id;
  description = (await server.ask('GET', '/openapi.json')).json;
});
after(() => server.end());

// Expected statuses, in the order of `roles`. Rows that destroy stand last.
const everybody = (status) => Array(7).fill(status);
const users = (own, other = own) => [own, other, 401, 401, 401, 401, 401];
const table = [
  // method, path, expected, body
  ['GET', '/', everybody(200)],
  ['GET', '/health', everybody(200)],
  ['GET', '/api/status', everybody(200)],
  ['GET', '/sign-in', everybody(200)],
  ['GET', '/openapi.json', everybody(200)],
  ['GET', '/metrics', users(200, 403)],
  ['POST', '/auth/magic-link', everybody(400), {email: 'nobody'}],
  ['GET', '/auth/verify', everybody(400)],
  ['POST', '/auth/verify', everybody(400), {token: 'x'}],
  ['POST', '/auth/verify-code', everybody(400), {code: '000000', email: 'x@example.org'}],
  ['GET', '/auth/me', users(200)],
  ['GET', '/auth/devices', users(200)],
  ['PATCH', '/auth/devices/{id}', users(204, 404), {name: 'desk'}],
  ['DELETE', '/auth/devices/{id}', users(400, 404)],
  ['GET', '/api/user/has-data', users(200)],
  ['GET', '/api/user/storage', users(200)],
  ['GET', '/api/workspaces', users(200)],
  ['POST', '/api/workspaces', users(400), {name: ' '}],
  ['GET', '/api/workspaces/{id}', users(200, 404)],
  ['PATCH', '/api/workspaces/{id}', users(200, 404), {name: 'renamed'}],
  ['GET', '/api/workspaces/{id}/snapshot', users(200, 404)],
  ['POST', '/api/workspaces/{id}/snapshot', users(400, 404), 'not a zip'],
  ['GET', '/api/workspaces/{id}/history', users(200, 404)],
  ['GET', '/api/workspaces/{id}/history/{point}', users(200, 404)],
  ['GET', '/api/workspaces/{id}/history/{point}/diff', users(400, 404)],
  ['POST', '/api/workspaces/{id}/restore', users(400, 404), {paths: []}],
  ['POST', '/api/workspaces/{id}/attachments/uploads', users(200, 404), announcement],
  ['PUT', '/api/workspaces/{id}/attachments/uploads/{upload}/parts/{part}', users(400, 404), 'of another size'],
  ['POST', '/api/workspaces/{id}/attachments/uploads/{upload}/complete', users(200, 404), announcement],
  ['GET', '/api/workspaces/{id}/attachments/{hash}', [200, 404, 200, 200, 401, 401, 401]],
  ['POST', '/api/share/sessions', users(200, 403), () => ({workspace_id: world.workspace})],
  ['POST', '/api/sessions', users(200, 403), () => ({workspace_id: world.workspace})],
  ['GET', '/api/share/sessions/{code}', everybody(200)],
  ['GET', '/api/sessions/{code}', everybody(200)],
  ['PATCH', '/api/share/sessions/{code}', users(200, 403), {read_only: true}],
  ['PATCH', '/api/sessions/{code}', users(200, 403), {read_only: true}],
  ['GET', '/sync2', [101, 101, 101, 101, 401, 401, 401]],
  // After the upgrade, in the editors' own words: refused is close code 4401.
  ['GET', '/yjs/{workspace}/{key}', [101, 101, 101, 101, 4401, 4401, 4401]],
  ['GET', '/hocuspocus', [101, 101, 101, 101, 4401, 4401, 101]],
  ['DELETE', '/api/share/sessions/{code}', users(204, 403)],
  ['DELETE', '/api/sessions/{code}', users(404, 403)],
  ['DELETE', '/api/workspaces/{id}', users(204, 404)],
  ['POST', '/auth/logout', users(204)],
];

test('what is served is the description that all answers in these tests are compared with', () => {
  assert.deepEqual(description, written);
});

test('the table names every operation of the description, and no other', () => {
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`));
  assert.deepEqual(table.map(([method, path]) => `${method} ${path}`).sort(), described.sort());
});

test('an address that cannot be read is refused by every operation, as the description says', async () => {
  const {token} = credentials.owner;
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const method of Object.keys(operations)) {
      for (const query of ['?x=%zz', '?x=%']) {
        const answer = await server.ask(method.toUpperCase(), fill(path) + query, {token});
        assert.equal(answer.status, 400, `${method} ${path}`);
        assert.ok(operations[method].responses[400], `${method} ${path}`);
      }
    }
  }
});

function fill(path) {
  const values = {id: path.startsWith('/auth/devices') ? world.device : world.workspace, workspace: world.workspace,
                  key: 'a%20note.md', upload: world.upload, part: '1', point: 'now', hash, code: world.code};
  return path.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/// The status of an upgrade, or the code of an immediate close in the 4400s.
function upgrade(path, {token, session}) {
  const query = new URLSearchParams({...(token ? {token} : {}), ...(session ? {session} : {})});
  const socket = new WebSocket(`${server.ws}${path}?${query}`);
  return new Promise((resolve) => {
    socket.once('unexpected-response', (_, response) => { response.resume(); resolve(response.statusCode); });
    socket.once('error', () => resolve(0));
    socket.once('close', (code) => resolve(code));
    socket.once('open', () => {
      socket.ping();  // answered in order: a refusal would have come before
      socket.once('pong', () => { resolve(101); socket.terminate(); });
    });
  });
}

for (const role of ['none', 'expired', 'revoked', 'readGuest', 'writeGuest', 'other', 'owner']) {
  test(`every endpoint for: ${role}`, async () => {
    const as = credentials[role];
    for (const [method, path, expected, body] of table) {
      // What other rows need is destroyed by the owner, who comes last.
      const wanted = expected[roles.indexOf(role)];
      const allowed = Object.keys(description.paths[path][method.toLowerCase()].responses);
      if (path === '/sync2' || path === '/hocuspocus' || path.startsWith('/yjs/')) {
        assert.equal(await upgrade(fill(path), as), wanted, `${method} ${path} as ${role}`);
        continue;
      }
      const given = typeof body === 'function' ? body() : body;
      const answer = await server.ask(method, fill(path) + (as.session ? `?session=${as.session}` : ''), {
        token: as.token, ...(typeof given === 'string' ? {raw: given, type: 'application/octet-stream'} : {body: given})});
      assert.equal(answer.status, wanted, `${method} ${path} as ${role}: ${answer.text}`);
      assert.ok(allowed.includes(String(answer.status)), `${answer.status} of ${method} ${path} is not in openapi.json`);
      if (role === 'other' && path === '/auth/logout') as.token = server.token('other@example.org');
    }
  });
}

// --- Messages

/// One visitor's socket in one of the three protocols, at one document, without a library that would hide what is said.
class Peer {
  /// key    of a body document; null: the workspace document, which only devices can name
  static async connect(wire, workspace, key, {token, session}) {
    const query = new URLSearchParams({...(token ? {token} : {}), ...(session ? {session} : {}), ...(wire === 'sync2' ? {handshake: '0'} : {})});
    const path = {sync2: '/sync2', yjs: `/yjs/${workspace}/${key}`, hocuspocus: '/hocuspocus'}[wire];
    const peer = new Peer();
    peer.id = key === null ? `workspace:${workspace}` : `body:${workspace}/${key}`;
    const name = new TextEncoder().encode(wire === 'sync2' ? peer.id : `${workspace}/${key}`);
    peer.front = wire === 'yjs' ? [] : [name.length, ...name];
    peer.heard = [];  // words; texts of devices as 'type code'
    peer.socket = new WebSocket(`${server.ws}${path}?${query}`);
    peer.socket.on('close', (code) => { peer.code = code; });
    peer.socket.on('message', (data, isBinary) => peer.heard.push(...peer.#word(wire, new Uint8Array(data), isBinary)));
    await new Promise((resolve, reject) => peer.socket.once('open', resolve).once('error', reject));
    return peer;
  }

  #word(wire, bytes, isBinary) {
    if (!isBinary) {
      const text = JSON.parse(new TextDecoder().decode(bytes));
      return [text.type === 'error' ? `refused ${text.code}` : text.type];
    }
    const [tag, kind] = bytes.subarray(this.front.length);
    if (tag === 0) return [['question', 'answer', 'news'][kind]];
    if (tag === 1) return ['presence'];
    if (tag === 2) return [wire === 'hocuspocus' && kind === 2 ? 'signed in' : 'refused'];
    return [wire === 'hocuspocus' && tag === 8 ? (kind === 1 ? 'saved' : 'refused') : wire === 'hocuspocus' && tag === 7 ? 'closed' : `tag ${tag}`];
  }

  send(...message) { this.socket.send(Uint8Array.from([...this.front, ...message])); }
  say(json) { this.socket.send(JSON.stringify(json)); }
  end() { this.socket.terminate(); }

  /// What is heard beside what everybody hears who opens a document, until nothing more can come of what was sent.
  async words() {
    const pongs = async () => {
      if (this.socket.readyState !== WebSocket.OPEN) return;
      this.socket.ping();
      await new Promise((resolve) => this.socket.once('pong', resolve).once('close', resolve));
    };
    await pongs();
    await new Promise((resolve) => setTimeout(resolve, 50));  // lets what would be wrong come; what is right is waited for
    await pongs();
    return this.heard;
  }
}

const whole = (tags, bytes) => [...tags, bytes.length, ...bytes];
let writers = 1000;
const newWriter = () => { const id = writers++; return [(id & 127) | 128, id >> 7]; };
/// An update that nobody has seen, of a few bytes.
const news = () => [1, 1, ...newWriter(), 0, 4, 1, 1, 116, 1, 97, 0];
const presence = () => [1, ...whole([], [1, ...newWriter(), 1, 2, 123, 125])];

// What a message does when who sends it may write, may only read, may not even read. Words of the visitor's own socket; `+` stands before
// what the owner's device at the same document hears. `-`: nothing.
const effects = {
  SyncStep1: ['answer', 'answer', 'refused'],
  SyncStep2: ['+news', 'refused', 'refused'],
  Update: ['+news', 'refused', 'refused'],
  Awareness: ['+presence', '+presence', 'refused'],
  AwarenessQuery: ['presence', 'presence', 'refused'],
  Auth: ['-', '-', 'refused'],  // who names a document asks for it; the message means nothing
  client_hello: ['-', '-', '-'],
  changes_wanted: ['changes', 'changes', '-'],
  FilesReady: ['sync_complete', 'sync_complete', 'sync_complete'],  // with what it has open: nothing, if it is a stranger
  focus: ['-', '-', '-'],
  unfocus: ['-', '-', '-'],
  leave: ['+peer_left', '+peer_left', '-'],
  save: ['-', '-', '-'],
  Close: ['closed', 'closed', 'closed'],
};
const differently = {hocuspocus: {Auth: ['signed in', 'signed in', 'signed in']}};  // the token is good; the document is asked about when it is opened

const sent = {
  SyncStep1: (peer) => peer.send(0, 0, 1, 0),
  SyncStep2: (peer) => peer.send(...whole([0, 1], news())),
  Update: (peer) => peer.send(...whole([0, 2], news())),
  Awareness: (peer) => peer.send(...presence()),
  AwarenessQuery: (peer) => peer.send(3),
  Auth: (peer, {token}) => peer.send(...whole([2, 0], new TextEncoder().encode(token ?? ''))),
  client_hello: (peer) => peer.say({type: 'client_hello', handshake: false}),
  changes_wanted: (peer, _, workspace) => peer.say({type: 'changes_wanted', workspace}),
  FilesReady: (peer) => peer.say({type: 'FilesReady'}),
  focus: (peer) => peer.say({type: 'focus', files: ['a.md']}),
  unfocus: (peer) => peer.say({type: 'unfocus', files: ['a.md']}),
  leave: (peer) => peer.say({action: 'leave', doc: peer.id}),
  save: (peer) => peer.say({action: 'save', doc: peer.id}),
  Close: (peer) => peer.send(7),
};

for (const [wire, path] of [['sync2', '/sync2'], ['yjs', '/yjs/{workspace}/{key}'], ['hocuspocus', '/hocuspocus']]) {
  test(`every message for every visitor who may connect: ${path}`, async () => {
    const described = description.paths[path].get['x-messages'];
    const mine = Object.keys(effects).filter((name) => wire === 'sync2' ? name !== 'Close' : name[0] < 'a' && name !== 'FilesReady' && (wire === 'hocuspocus' || name !== 'Close'));
    assert.deepEqual(mine.toSorted(), described.toSorted(), 'the table has each message of the description, and no other');
    const owner = {token: server.token('owner@example.org')};
    const workspace = await server.workspace(owner.token, `messages at ${wire}`);
    const share = async (read_only) => ({session: (await server.request(owner.token, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only})).code});
    const visitors = [['owner', owner, 0], ['writeGuest', await share(false), 0], ['readGuest', await share(true), 1], ['other', {token: server.token('other@example.org')}, 2]];
    for (const key of wire === 'sync2' ? [null, 'a.md'] : ['a.md']) {
      for (const [who, as, right] of visitors) {
        for (const name of mine) {
          const where = `${name} ${key === null ? 'at the workspace document ' : ''}as ${who}`;
          const witness = await Peer.connect('sync2', workspace, key, owner);
          witness.send(0, 0, 1, 0);
          await until('the witness is answered', () => witness.heard.includes('answer'));
          const peer = await Peer.connect(wire, workspace, key, as);
          if (right < 2) {
            sent.SyncStep1(peer);
            await until(`opened: ${where}`, () => peer.heard.includes('answer'));
          }
          await peer.words();
          await witness.words();
          peer.heard.length = witness.heard.length = 0;
          sent[name](peer, as, workspace);
          const expected = (differently[wire] ?? effects)[name]?.[right] ?? effects[name][right];
          // Followers and members of the workspace document alone are told what changed, and who came and went.
          const needsWorkspace = name === 'changes_wanted' || name === 'leave';
          const effect = needsWorkspace && key !== null ? '-' : expected;
          if (effect[0] === '+') {
            await until(`${effect}: ${where}`, () => witness.heard.includes(effect.slice(1)));
          } else if (effect !== '-') {
            await until(`${effect}: ${where}`, () => peer.heard.some((word) => word.startsWith(effect)));
          }
          const beside = ['saved', ...(name === 'FilesReady' && key === null && right < 2 ? ['crdt_state'] : [])];
          const own = (await peer.words()).filter((word) => !beside.includes(word));
          const code = {1: 'read_only', 2: 'unauthorized'}[right];
          // Where a socket is one document, there is nothing else to stay for.
          if (wire === 'yjs' && right === 2) await until(`closed: ${where}`, () => peer.code === 4403);
          else assert.equal(peer.code, undefined, where);
          if (effect === 'refused') assert.ok(own.every((word) => word === 'refused' || word === `refused ${code}`), `${where}: ${own}`);
          else assert.deepEqual([...new Set(own)].filter((word) => word !== effect && !(effect === '+presence' && word === 'presence')), [], where);
          assert.deepEqual([...new Set(await witness.words())], effect[0] === '+' ? [effect.slice(1)] : [], `the witness: ${where}`);
          peer.end();
          witness.end();
        }
      }
    }
  });
}
