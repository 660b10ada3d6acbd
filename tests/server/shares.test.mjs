// Share sessions: who may read, who may write, and that both end at once.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {Device} from './device.mjs';
import {Server, until} from './server.mjs';

let server;
let token;
let workspace;

before(async () => {
  server = await Server.start({options: ['--max-guests', '3']});
  token = server.token();
  workspace = await server.workspace(token);
});
after(() => server.end());

const note = (name) => `body:${workspace}/${name}.md`;
const share = (settings = {}) => server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace, ...settings});

test('a guest is told what it joined, and reads', async () => {
  const {code} = await share({read_only: true});
  assert.match(code, /^[A-Z0-9]{8}-[A-Z0-9]{8}$/);
  const owner = await Device.connect(server, `token=${token}`);
  const doc = await owner.open(note('read'));
  doc.getText('body').insert(0, 'shared');
  await owner.stored();
  const guest = await Device.connect(server, `session=${code.toLowerCase()}&guest_id=Ann%20%3C7%3E`);
  guest.follow(`workspace:${workspace}`);
  await guest.open(`workspace:${workspace}`);
  assert.deepEqual(await guest.hear('session_joined'),
                   {type: 'session_joined', joinCode: code, workspaceId: workspace, readOnly: true});
  const copy = await guest.open(note('read'));
  await until('the text arrives', () => copy.getText('body').toString() === 'shared');
  await until('the owner hears of the guest', () => owner.texts.some((text) => text.guestId === 'guest:Ann7'));
  owner.end();
  guest.end();
});

test('nothing that a read-only guest sends is applied, relayed or stored', async () => {
  const {code} = await share({read_only: true});
  const owner = await Device.connect(server, `token=${token}`);
  const mine = await owner.open(note('guarded'));
  mine.getText('body').insert(0, 'mine');
  await owner.stored();
  const guest = await Device.connect(server, `session=${code}`);
  const theirs = await guest.open(note('guarded'));
  await until('the guest has it', () => theirs.getText('body').toString() === 'mine');
  theirs.getText('body').insert(0, 'NOT ');
  const error = await guest.hear('error');
  assert.equal(error.code, 'read_only');
  guest.end();
  owner.end();
  await server.restart();
  const late = await Device.connect(server, `token=${token}`);
  const doc = await late.open(note('guarded'));
  await until('it is as it was', () => doc.getText('body').toString() === 'mine');
  late.end();
});

test('writing is given and taken while the guest is there', async () => {
  const {code} = await share({read_only: false});
  const guest = await Device.connect(server, `session=${code}`);
  const theirs = await guest.open(note('turns'));
  theirs.getText('body').insert(0, 'one');
  await guest.stored();
  const changed = await server.request(token, 'PATCH', `/api/share/sessions/${code}`, {read_only: true});
  assert.deepEqual(changed, {code, read_only: true});
  // The answer came after the guest was told: whatever it sends from here on is dropped.
  theirs.getText('body').insert(3, ' two');
  await until('refused', () => guest.texts.some((text) => text.code === 'read_only'));
  assert.deepEqual(guest.heard('read_only_changed'), {type: 'read_only_changed', read_only: true});
  const owner = await Device.connect(server, `token=${token}`);
  const mine = await owner.open(note('turns'));
  await until('only the first', () => mine.getText('body').toString() === 'one');
  guest.end();
  owner.end();
});

test('ending a share cuts its guests at once, others stay', async () => {
  const first = await share();
  const second = await share();
  const one = await Device.connect(server, `session=${first.code}`);
  const two = await Device.connect(server, `session=${second.code}`);
  const owner = await Device.connect(server, `token=${token}`);
  const mine = await owner.open(note('ended'));
  const theirs = await one.open(note('ended'));
  await two.open(note('ended'));
  assert.equal((await server.ask('DELETE', `/api/share/sessions/${first.code}`, {token})).status, 204);
  theirs.getText('body').insert(0, 'too late');
  await until('cut', () => one.closed === 1008);
  assert.ok(one.heard('session_ended'));
  mine.getText('body').insert(0, 'still here');
  await until('the other guest has it', () => two.docs.get(note('ended')).getText('body').toString() === 'still here');
  assert.equal(theirs.getText('body').toString(), 'too late');
  assert.equal((await server.ask('GET', `/api/share/sessions/${first.code}`)).status, 404);
  const back = await Device.connect(server, `session=${first.code}`);
  assert.equal(back.status, 401);
  two.end();
  owner.end();
});

test('peers are counted by connection, also after a restart', async () => {
  const {code} = await share();
  const count = async () => (await server.ask('GET', `/api/share/sessions/${code}`)).json.peer_count;
  const id = `workspace:${workspace}`;
  const meet = async () => {
    const owner = await Device.connect(server, `token=${token}&handshake=0`);
    const guest = await Device.connect(server, `session=${code}&handshake=0`);
    await owner.open(id);
    await guest.open(id);
    return [owner, guest];
  };
  let present = await meet();
  await until('two', async () => (await count()) === 2);
  await server.restart();
  present.forEach((device) => device.end());
  assert.equal(await count(), 0);
  present = await meet();
  await until('two again', async () => (await count()) === 2);
  present[1].end();
  await until('one', async () => (await count()) === 1);
  present[0].end();
});

test('guests are limited by connection, not by document', async () => {
  const {code} = await share();
  const guests = [];
  for (let i = 0; i < 3; ++i) guests.push(await Device.connect(server, `session=${code}`));
  for (const guest of guests) {
    for (const name of ['a', 'b', 'c', 'd']) await guest.open(note(name));
  }
  const fourth = await Device.connect(server, `session=${code}`);
  assert.equal(fourth.status, 403);
  guests[0].end();
  let next;
  await until('there is room again', async () => {
    next = await Device.connect(server, `session=${code}`);
    return next.status === null;
  });
  for (const guest of [...guests, next]) guest.end();
});

test('a code opens its workspace and no other, and ends with it', async () => {
  const other = await server.workspace(token, 'other');
  const made = await server.request(token, 'POST', '/api/sessions', {workspace_id: other, read_only: true});
  const guest = await Device.connect(server, `session=${made.code}`);
  await guest.open(`body:${other}/a.md`);
  guest.follow(note('secret'));
  await guest.open(note('secret'));
  assert.equal((await guest.hear('error')).code, 'unauthorized');
  assert.equal((await server.ask('DELETE', `/api/workspaces/${other}`, {token})).status, 204);
  await until('cut', () => guest.closed === 1008);
  assert.equal((await server.ask('GET', `/api/sessions/${made.code}`)).status, 404);
});

test('the owner who follows the link stays the owner', async () => {
  const {code} = await share({read_only: true});
  const owner = await Device.connect(server, `token=${token}&session=${code}`);
  const doc = await owner.open(note('own'));
  doc.getText('body').insert(0, 'written');
  await owner.stored();
  assert.ok(!owner.heard('error'));
  owner.end();
});
