// Editors at the server: y-websocket and Hocuspocus clients, together with each other.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {HocuspocusProvider, HocuspocusProviderWebsocket} from '@hocuspocus/provider';
import {WebSocket} from 'ws';
import {WebsocketProvider} from 'y-websocket';
import * as Y from 'yjs';
import {Device} from './device.mjs';
import {EditorSocket} from './editor_socket.mjs';
import {Server, until} from './server.mjs';

let server;
let token;
let workspace;
const opened = [];

before(async () => {
  server = await Server.start();
  token = server.token();
  workspace = await server.workspace(token);
});
after(async () => {
  for (const one of opened) one.destroy();
  await server.end();
});

/// A y-websocket client of one note. `params` instead of a token: how else it is let in.
function yjs(key, params = {token}) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`${server.ws}/yjs`, `${workspace}/${key}`, doc,
                                         {WebSocketPolyfill: EditorSocket, disableBc: true, maxBackoffTime: 100, params});
  opened.push(provider, doc);  // the presence of a document ends with it
  return {doc, provider, awareness: provider.awareness, text: doc.getText('body')};
}

/// A Hocuspocus client of one note; its own socket unless one is given.
function hocuspocus(key, settings = {}) {
  const doc = new Y.Doc();
  const socket = settings.socket ?? new HocuspocusProviderWebsocket({
    url: `${server.ws}/hocuspocus${settings.query ?? ''}`, WebSocketPolyfill: EditorSocket, delay: 50, minDelay: 20, jitter: false});
  const refusals = [];
  const provider = new HocuspocusProvider({
    websocketProvider: socket, name: `${workspace}/${key}`, document: doc, token: settings.token ?? token,
    onAuthenticationFailed: ({reason}) => refusals.push(reason)});
  provider.attach();
  opened.push(provider, doc);
  if (!settings.socket) opened.push(socket);
  return {doc, provider, socket, refusals, awareness: provider.awareness, text: doc.getText('body')};
}

test('two editors of both kinds see each other type', async () => {
  const one = yjs('talk.md');
  const two = yjs('talk.md');
  const three = hocuspocus('talk.md');
  await until('all are in step', () => one.provider.synced && two.provider.synced && three.provider.isSynced);
  one.text.insert(0, 'Hello');
  await until('the others have it', () => two.text.toString() === 'Hello' && three.text.toString() === 'Hello');
  three.text.insert(5, ', world');
  two.text.delete(0, 1);
  two.text.insert(0, 'J');
  await until('everybody has everything', () =>
    [one, two, three].every((editor) => editor.text.toString() === 'Jello, world'));
});

test('what editors typed is there for those who come later, also after a restart', async () => {
  const writer = yjs('kept.md');
  await until('in step', () => writer.provider.synced);
  writer.text.insert(0, 'kept');
  const reader = yjs('kept.md');
  await until('the newcomer has it', () => reader.text.toString() === 'kept');
  await server.restart();
  writer.text.insert(4, ' and more');
  await until('both came back', () => reader.text.toString() === 'kept and more');
  const late = hocuspocus('kept.md');
  await until('the late one has it', () => late.text.toString() === 'kept and more');
});

test('names with spaces and folders, and characters of every length', async () => {
  const one = yjs('a folder/né 日.md');
  const two = hocuspocus('a folder/né 日.md');
  await until('in step', () => one.provider.synced && two.provider.isSynced);
  one.text.insert(0, 'a😀é');
  one.text.insert(3, '日');
  await until('it is there', () => two.text.toString() === 'a😀日é');
});

test('presence comes, changes, is asked for, and goes when a socket ends', async () => {
  const one = yjs('presence.md');
  const two = yjs('presence.md');
  const three = hocuspocus('presence.md');
  await until('in step', () => one.provider.synced && two.provider.synced && three.provider.isSynced);
  one.awareness.setLocalStateField('user', {name: 'Ann'});
  three.awareness.setLocalStateField('user', {name: 'Eve'});
  const name = (editor, whose) => editor.awareness.getStates().get(whose.doc.clientID)?.user?.name;
  await until('all know Ann', () => name(two, one) === 'Ann' && name(three, one) === 'Ann');
  await until('all know Eve', () => name(two, three) === 'Eve' && name(one, three) === 'Eve');
  const late = yjs('presence.md');
  await until('a newcomer knows both', () => name(late, one) === 'Ann' && name(late, three) === 'Eve');
  // Without a word, as when a laptop is shut.
  one.provider.shouldConnect = false;
  one.provider.ws.terminate();
  await until('Ann is gone everywhere', () =>
    [two, three, late].every((editor) => !editor.awareness.getStates().has(one.doc.clientID)));
  three.provider.destroy();
  await until('Eve is gone', () => !two.awareness.getStates().has(three.doc.clientID));
});

test('a Hocuspocus client knows when everything is on disk', async () => {
  const one = hocuspocus('saved.md');
  await until('in step', () => one.provider.isSynced);
  await until('nothing is open', () => !one.provider.hasUnsyncedChanges);
  for (let i = 0; i < 20; ++i) one.text.insert(0, 'x');
  assert.ok(one.provider.hasUnsyncedChanges);
  await until('all is stored', () => !one.provider.hasUnsyncedChanges);
});

test('one Hocuspocus socket carries several notes, and closes one of them', async () => {
  const one = hocuspocus('first.md');
  const two = hocuspocus('second.md', {socket: one.socket});
  await until('in step', () => one.provider.isSynced && two.provider.isSynced);
  one.text.insert(0, '1');
  two.text.insert(0, '2');
  const elsewhere = [yjs('first.md'), yjs('second.md')];
  await until('both arrive', () => elsewhere[0].text.toString() === '1' && elsewhere[1].text.toString() === '2');
  one.provider.detach();
  two.text.insert(1, '2');
  await until('the other goes on', () => elsewhere[1].text.toString() === '22');
});

/// What devices write when a file takes a name that another one had: its text is in a document of its own, named by its id.
async function takeName(path, id, text) {
  const device = await Device.connect(server, `token=${token}&handshake=0`);
  opened.push({destroy: () => device.end()});
  const list = await device.open(`workspace:${workspace}`);
  const body = await device.open(`body:${workspace}/~${id}`);
  body.getText('body').insert(0, text);
  list.getMap('files').set(path, JSON.stringify({filename: path, extra: {_id: id, _doc: `~${id}`}, modified_at: 1}));
  await device.stored();
  return {device, list, text: body.getText('body')};
}

test('a note is found by its path, wherever its text is', async () => {
  const earlier = yjs('again.md');
  await until('in step', () => earlier.provider.synced);
  earlier.text.insert(0, 'the earlier note');
  const other = yjs('again.md');
  await until('it is stored', () => other.text.toString() === 'the earlier note');
  const note = await takeName('again.md', 'f-1', 'the note that is here now');
  const share = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only: false});
  const editors = [yjs('again.md'), hocuspocus('again.md'), yjs('again.md', {session: share.code}),
                   hocuspocus('again.md', {query: `?session=${share.code}`, token: ''})];
  await until('all read it', () => editors.every(({text}) => text.toString() === 'the note that is here now'));
  editors[0].text.insert(0, '1');
  editors[1].text.insert(0, '2');
  editors[2].text.insert(0, '3');
  editors[3].text.insert(0, '4');
  const all = () => [...editors, note].map(({text}) => text.toString());
  await until('all of it arrives, at the device too', () => all().every((text) => text === all()[0] && text.length === 29));
  await until('Hocuspocus knows that it is stored', () => !editors[1].provider.hasUnsyncedChanges);
  editors[0].awareness.setLocalStateField('user', {name: 'Ann'});
  await until('presence, too', () => editors[1].awareness.getStates().get(editors[0].doc.clientID)?.user?.name === 'Ann');
  // What was typed in the earlier note was not touched by any of this, and nobody else's access grew.
  assert.equal(other.text.toString(), 'the earlier note');
  const stranger = hocuspocus('again.md', {token: server.token('stranger@example.org')});
  await until('refused', () => stranger.refusals.length > 0);
});

test('an editor that comes back with the earlier note of a name goes on in that note', async () => {
  for (const open of [yjs, hocuspocus]) {
    const path = `mine-${open.name}.md`;
    const mine = open(path);
    const other = yjs(path);
    await until('in step', () => other.provider.synced && (mine.provider.synced || mine.provider.isSynced));
    mine.text.insert(0, 'mine');
    await until('it is there', () => other.text.toString() === 'mine');
    const note = await takeName(path, `f-2-${open.name}`, 'theirs');
    await server.restart();
    mine.text.insert(4, ', still');
    await until('they meet again', () => other.text.toString() === 'mine, still');
    assert.equal(note.text.toString(), 'theirs');
    const late = open(path);
    await until('a newcomer gets the note that is here now', () => late.text.toString() === 'theirs');
  }
});

test('one Hocuspocus socket opens a note again, and finds where it is then', async () => {
  const one = hocuspocus('again2.md');
  await until('in step', () => one.provider.isSynced);
  await takeName('again2.md', 'f-3', 'here now');
  one.provider.detach();
  const doc = new Y.Doc();
  const provider = new HocuspocusProvider({websocketProvider: one.socket, name: `${workspace}/again2.md`, document: doc, token});
  provider.attach();
  opened.push(provider, doc);
  await until('the note that is here now', () => doc.getText('body').toString() === 'here now');
});

test('a token that is not good is refused in the words of each protocol, for good', async () => {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`${server.ws}/yjs`, `${workspace}/x.md`, doc,
                                         {WebSocketPolyfill: EditorSocket, disableBc: true, params: {token: 'wrong'}});
  opened.push(provider, doc);
  const closed = await new Promise((resolve) => provider.once('closed', resolve));
  assert.equal(closed.code, 4401);
  const other = hocuspocus('x.md', {token: 'wrong'});
  await until('refused', () => other.refusals.length > 0);
  assert.match(other.refusals[0], /token/);
  other.socket.destroy();
});

test('a client that has to wait is told to come back, not that it is refused', async () => {
  const strict = await Server.start({options: ['--token-requests', '1']});
  const doc = new Y.Doc();
  const name = `${await strict.workspace(strict.token())}/a.md`;
  const key = strict.token();
  const closes = [];
  const refusals = [];
  assert.equal((await strict.ask('GET', '/auth/me', {token: key})).status, 200);  // the one request of this minute
  const socket = new HocuspocusProviderWebsocket({url: `${strict.ws}/hocuspocus`, WebSocketPolyfill: EditorSocket, delay: 20, minDelay: 20, jitter: false});
  const provider = new HocuspocusProvider({websocketProvider: socket, name, document: doc, token: key,
    onAuthenticationFailed: ({reason}) => refusals.push(reason), onDisconnect: ({event}) => closes.push(event.code)});
  provider.attach();
  await until('it was sent away twice', () => closes.length >= 2);
  assert.deepEqual(closes.slice(0, 2), [1013, 1013]);
  assert.deepEqual(refusals, []);
  for (const one of [provider, socket, doc]) one.destroy();
  await strict.end();
});

test("somebody else's workspace stays shut", async () => {
  const stranger = server.token('stranger@example.org');
  const secret = yjs('secret.md');
  await until('in step', () => secret.provider.synced);
  secret.text.insert(0, 'secret');
  const one = yjs('secret.md', {token: stranger});
  const closed = new Promise((resolve) => one.provider.once('closed', resolve));
  const two = hocuspocus('secret.md', {token: stranger});
  await until('refused', () => two.refusals.length > 0);
  assert.equal((await closed).code, 4403, 'whoever types there hears that nobody listens');
  assert.equal(one.text.toString(), '');
  assert.equal(two.text.toString(), '');
});

test('an editor whose workspace is removed hears that it types for nobody', async () => {
  const gone = await server.workspace(token, 'gone');
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`${server.ws}/yjs`, `${gone}/a.md`, doc, {WebSocketPolyfill: EditorSocket, disableBc: true, maxBackoffTime: 100, params: {token}});
  const closed = new Promise((resolve) => provider.once('closed', resolve));
  await until('in step', () => provider.synced);
  doc.getText('body').insert(0, 'text');
  assert.equal((await server.ask('DELETE', `/api/workspaces/${gone}`, {token})).status, 204);
  assert.equal((await closed).code, 4403);
  for (const one of [provider, doc]) one.destroy();
});

test('guests read or write as the share says, and are cut when it ends', async () => {
  const share = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace, read_only: true});
  const owner = yjs('shared.md');
  await until('in step', () => owner.provider.synced);
  owner.text.insert(0, 'read this');
  const guest = yjs('shared.md', {session: share.code});
  const other = hocuspocus('shared.md', {query: `?session=${share.code}`, token: ''});
  await until('guests read', () => guest.text.toString() === 'read this' && other.text.toString() === 'read this');
  assert.equal(other.provider.authorizedScope, 'readonly');
  guest.text.insert(0, 'NO ');
  await server.request(token, 'PATCH', `/api/share/sessions/${share.code}`, {read_only: false});
  // The guest's own copy holds what was refused; it sends everything again when it comes back.
  other.text.insert(9, ' twice');
  await until('the guest writes', () => owner.text.toString() === 'read this twice');
  const closed = new Promise((resolve) => guest.provider.once('closed', resolve));
  await server.request(token, 'DELETE', `/api/share/sessions/${share.code}`);
  assert.equal((await closed).code, 4403);
  owner.text.insert(0, '!');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(!guest.text.toString().includes('!'));
});

test('an editor and garbage', async () => {
  const bad = new WebSocket(`${server.ws}/yjs/${workspace}/g.md?token=${token}`);
  await new Promise((resolve) => bad.once('open', resolve));
  const gone = new Promise((resolve) => bad.once('close', resolve));
  for (let i = 0; i < 20; ++i) bad.send(new Uint8Array([9, 9, 9]));
  assert.equal(await gone, 4403);
  for (const path of [`/yjs/${workspace}`, `/yjs/${workspace}/../x.md`, `/yjs/${workspace}/%2e%2e/x.md`, '/yjs//x.md']) {
    const socket = new WebSocket(`${server.ws}${path}?token=${token}`);
    const error = await new Promise((resolve) => socket.once('error', resolve));
    assert.match(error.message, /404/, path);
  }
});
