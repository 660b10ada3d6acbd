// Who may do what: one table, every endpoint and every message, seven kinds of visitor.
//
// The table has to name each operation of /openapi.json, and each answer has to be one that the description allows, so a
// new endpoint cannot be forgotten here, nor a status there.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {after, before, test} from 'node:test';
import {WebSocket} from 'ws';
import * as Y from 'yjs';
import {description as written} from './described.mjs';
import {Device, frame, step1, update} from './device.mjs';
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

test('every message for every visitor who may connect', async () => {
  const owner = server.token('owner@example.org');
  const workspace = await server.workspace(owner, 'messages');
  const share = (read_only) => server.request(owner, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only});
  const visitors = [
    // who, query, may read, may write
    ['owner', `token=${owner}`, true, true],
    ['other', `token=${server.token('other@example.org')}`, false, false],
    ['readGuest', `session=${(await share(true)).code}`, true, false],
    ['writeGuest', `session=${(await share(false)).code}`, true, true],
  ];
  for (const id of [`body:${workspace}/a.md`, `workspace:${workspace}`]) {
    for (const [who, query, reads, writes] of visitors) {
      const witness = await Device.connect(server, `token=${owner}&handshake=0`);
      const seen = await witness.open(id);
      const device = await Device.connect(server, `${query}&handshake=0`);
      const where = `${id.split(':')[0]} as ${who}`;
      // SyncStep1 and awareness query: state comes back, or a refusal.
      device.follow(id);
      device.socket.send(frame(id, step1(new Y.Doc()), [3]));
      await until(`an answer: ${where}`, () => device.frames > 0 || device.heard('error'));
      assert.equal(device.frames > 0, reads, where);
      // Update and SyncStep2: relayed, or refused.
      const doc = new Y.Doc();
      doc.getMap('files').set(`${who}.md`, '{}');
      const news = Y.encodeStateAsUpdate(doc);
      device.socket.send(frame(id, update(news)));
      if (writes) {
        await until(`relayed: ${where}`, () => seen.getMap('files').has(`${who}.md`));
      } else {
        await until(`refused: ${where}`, () => device.heard('error'));
        assert.equal(device.heard('error').code, reads ? 'read_only' : 'unauthorized', where);
        assert.ok(!seen.getMap('files').has(`${who}.md`), where);
      }
      // What changed: told to who reads the workspace document, and to nobody else.
      if (id.startsWith('workspace:')) {
        device.say({type: 'changes_wanted', workspace, cursor: 'x:1'});
        if (reads) {
          const changes = await device.hear('changes');
          assert.deepEqual({known: changes.known, keys: changes.keys}, {known: false, keys: []}, where);
          const since = await Device.connect(server, `${query}&handshake=0`);
          await since.open(id);
          since.say({type: 'changes_wanted', workspace, cursor: changes.cursor.replace(/\d+$/, '0')});
          const list = await since.hear('changes');
          assert.ok(list.known && list.keys.includes('a.md'), where);
          since.end();
        }
      }
      // Control messages of strangers do nothing; the server goes on.
      for (const text of [{action: 'save', doc: id}, {type: 'FilesReady'}, {type: 'focus', files: ['a.md']}, {action: 'leave', doc: id}])
        device.say(text);
      if (!reads) assert.equal(device.heard('changes'), undefined, where);
      device.end();
      witness.end();
    }
  }
});
