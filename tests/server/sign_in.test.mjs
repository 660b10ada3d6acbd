// Signing in: the first link, links and codes, devices, commands, and what is never told.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {WebSocket} from 'ws';
import {Device} from './device.mjs';
import {Server, newFolder, run, until} from './server.mjs';

async function withServer(settings, work) {
  const server = await Server.start(settings);
  try { await work(server); } finally { await server.end(); }
}

/// The newest link and code that the owner was shown.
function shown(server) {
  const lines = server.log.split('\n').filter((line) => line.includes('sign-in for'));
  const found = lines.at(-1)?.match(/code (\d{6}), or open (\S+)/);
  return found && {code: found[1], link: found[2], token: found[2].split(/[#=]/).at(-1)};
}

test('the first start makes an owner and shows one link, which works once', async () => {
  await withServer({options: ['--owner', 'Owner@Example.org']}, async (server) => {
    const link = server.log.match(/sign in within a day with (\S+)#(\S+)/);
    assert.ok(link, server.log);
    assert.match((await server.ask('GET', new URL(link[1]).pathname)).text, /<title>Sign in/);
    const first = await server.ask('POST', '/auth/verify', {body: {token: link[2], device_name: 'laptop'}});
    assert.equal(first.status, 200, first.text);
    assert.equal(first.json.user.email, 'owner@example.org');
    assert.equal((await server.ask('POST', '/auth/verify', {body: {token: link[2]}})).status, 400);
    assert.equal((await server.ask('GET', '/metrics', {token: first.json.token})).status, 200);
    const token = first.json.token;
    await server.restart();
    assert.equal(server.log.split('sign in within a day').length, 2, 'a second start shows no link');
    assert.equal((await server.ask('GET', '/auth/me', {token})).json.devices[0].name, 'laptop');
  });
});

test('a link or a code signs in, and one uses up the other', async () => {
  await withServer({}, async (server) => {
    assert.equal(run(['user', 'add', 'ann@example.org', '--data', server.folder]).code, 0);
    const asked = await server.ask('POST', '/auth/magic-link', {body: {email: ' Ann@Example.org '}});
    assert.equal(asked.status, 200);
    assert.deepEqual(Object.keys(asked.json), ['success', 'message']);
    await until('the owner sees it', () => shown(server));
    const {code, token} = shown(server);
    const signed = await server.ask('POST', '/auth/verify-code', {body: {email: 'ann@example.org', code}});
    assert.equal(signed.status, 200, signed.text);
    assert.equal((await server.ask('GET', `/auth/verify?token=${token}`)).status, 400);
    const again = await server.ask('POST', '/auth/magic-link', {body: {email: 'ann@example.org'}});
    assert.equal(again.status, 200);
    await until('another one', () => shown(server).token !== token);
    const byLink = await server.ask('GET', `/auth/verify?token=${shown(server).token}&device_name=phone%0a`);
    assert.equal(byLink.json.user.id, signed.json.user.id);
    const devices = await server.request(signed.json.token, 'GET', '/auth/devices');
    assert.equal(devices.length, 2);
    assert.ok(devices.some((device) => device.name === 'phone'));
  });
});

test('five wrong codes end the code, and nobody learns who has an account', async () => {
  await withServer({options: ['--address-sign-ins', '0']}, async (server) => {
    run(['user', 'add', 'ann@example.org', '--data', server.folder]);
    const known = await server.ask('POST', '/auth/magic-link', {body: {email: 'ann@example.org'}});
    const unknown = await server.ask('POST', '/auth/magic-link', {body: {email: 'eve@example.org'}});
    assert.equal(known.text, unknown.text);
    await until('the owner sees it', () => shown(server));
    assert.ok(!server.log.includes('eve@'));
    const {code} = shown(server);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let i = 0; i < 5; ++i) {
      assert.equal((await server.ask('POST', '/auth/verify-code', {body: {email: 'ann@example.org', code: wrong}})).status, 400);
    }
    assert.equal((await server.ask('POST', '/auth/verify-code', {body: {email: 'ann@example.org', code}})).status, 400);
    // Known or not, the fourth within an hour is too many.
    for (const email of ['ann@example.org', 'eve@example.org']) {
      for (let i = 0; i < 2; ++i) assert.equal((await server.ask('POST', '/auth/magic-link', {body: {email}})).status, 200);
      const refused = await server.ask('POST', '/auth/magic-link', {body: {email}});
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    }
    for (const email of ['nobody', 'a@', '@b.c', 'a b@c.d', 'a\u0000@b.c', `${'a'.repeat(251)}@b.c`]) {
      assert.equal((await server.ask('POST', '/auth/magic-link', {body: {email}})).status, 400, email);
    }
  });
});

test('an unknown address makes an account only where that is wanted', async () => {
  await withServer({options: ['--open-sign-up']}, async (server) => {
    await server.ask('POST', '/auth/magic-link', {body: {email: 'new@example.org'}});
    await until('the owner sees it', () => shown(server));
    const signed = await server.ask('POST', '/auth/verify', {body: {token: shown(server).token}});
    assert.equal(signed.json.user.email, 'new@example.org');
  });
});

test('an address that keeps trying has to wait', async () => {
  await withServer({options: ['--address-sign-ins', '4', '--address-refusals', '3']}, async (server) => {
    const tries = [];
    for (let i = 0; i < 6; ++i) {
      tries.push((await server.ask('POST', '/auth/verify', {body: {token: `guess ${i}`}})).status);
    }
    assert.deepEqual(tries, [400, 400, 400, 400, 429, 429]);
    const tokens = [];
    for (let i = 0; i < 5; ++i) tokens.push((await server.ask('GET', '/auth/me', {token: `guess ${i}`})).status);
    assert.deepEqual(tokens, [401, 401, 401, 429, 429]);
  });
});

test('the device limit names the devices, and one of them can be replaced', async () => {
  await withServer({options: ['--max-devices', '1']}, async (server) => {
    const token = server.token();
    await server.ask('POST', '/auth/magic-link', {body: {email: 'me@example.org'}});
    await until('the owner sees it', () => shown(server));
    const link = shown(server).token;
    const full = await server.ask('POST', '/auth/verify', {body: {token: link}});
    assert.equal(full.status, 403);
    assert.equal(full.json.devices.length, 1);
    const device = await Device.connect(server, `token=${token}`);
    const replaced = await server.ask('POST', '/auth/verify', {body: {token: link, replace_device_id: full.json.devices[0].id}});
    assert.equal(replaced.status, 200, replaced.text);
    await until('the old device is cut', () => device.closed === 1008);
    assert.equal((await server.ask('GET', '/auth/me', {token})).status, 401);
  });
});

test('links, codes and tokens end in their time, with what they opened', async () => {
  await withServer({options: ['--owner', 'me@example.org']}, async (server) => {
    const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.folder, 'server.db'), text], {encoding: 'utf8'}).trim();
    const ask = async () => {
      const before = shown(server)?.token;
      assert.equal((await server.ask('POST', '/auth/magic-link', {body: {email: 'me@example.org'}})).status, 200);
      await until('the owner sees it', () => shown(server) && shown(server).token !== before);
      return shown(server);
    };
    // A quarter of an hour, but for this test.
    const soon = (table) => {
      const end = Date.now() + 1500;
      sql(`UPDATE ${table} SET expires_ms=${end}`);
      return end;
    };
    const reached = (end) => until('the time is over', () => Date.now() > end);

    const {code, token: link} = await ask();
    await reached(soon('sign_ins'));
    assert.equal((await server.ask('POST', '/auth/verify', {body: {token: link}})).status, 400);
    assert.equal((await server.ask('GET', `/auth/verify?token=${link}`)).status, 400);
    assert.equal((await server.ask('POST', '/auth/verify-code', {body: {email: 'me@example.org', code}})).status, 400);

    const {token} = (await server.ask('POST', '/auth/verify', {body: {token: (await ask()).token, device_name: 'phone'}})).json;
    const workspace = await server.workspace(token);
    const {code: share} = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace});
    const end = soon('tokens');
    const device = await Device.connect(server, `token=${token}&handshake=0`);
    await device.open(`body:${workspace}/a.md`);
    const guest = await Device.connect(server, `session=${share}&handshake=0`);
    const editor = new WebSocket(`${server.ws}/yjs/${workspace}/a.md?token=${token}`);
    const editorClosed = new Promise((resolve) => editor.once('close', resolve));
    await until('everybody is in', () => editor.readyState === WebSocket.OPEN);
    assert.deepEqual([(await server.ask('GET', '/auth/me', {token})).status, device.closed], [200, null], 'not before its time');
    await reached(end);
    assert.equal((await server.ask('GET', '/auth/me', {token})).status, 401);
    await until('the device is cut', () => device.closed !== null);
    assert.deepEqual([device.closed, await editorClosed, guest.closed], [1008, 4403, null], 'guests have a code of their own');
    assert.equal((await Device.connect(server, `token=${token}`)).status, 401);
    guest.end();

    const made = run(['user', 'link', 'me@example.org', '--data', server.folder]).out;
    const again = await server.ask('POST', '/auth/verify', {body: {token: made.match(/#(\S+)/)[1]}});
    assert.equal(again.status, 200, again.text);
    assert.ok((await server.request(again.json.token, 'GET', '/auth/devices')).every(({name}) => name !== 'phone'), 'it is not listed any more');
    assert.match(sql('SELECT name FROM devices'), /^phone$/m, 'but known by its name: the history tells of it');
    await server.restart();  // housekeeping begins at once
    await until('what ended is forgotten', () => sql('SELECT count(*) FROM tokens') === '1');
    assert.equal((await server.ask('GET', '/auth/me', {token})).status, 401);
  });
});

test('devices are renamed, removed and signed out, and their connections are cut', async () => {
  await withServer({}, async (server) => {
    const mine = server.token();
    const other = server.token();
    const me = await server.request(mine, 'GET', '/auth/me');
    const theirs = await server.request(other, 'GET', '/auth/me');
    assert.equal(me.user.id, theirs.user.id);
    const connected = await Device.connect(server, `token=${other}`);
    const workspace = await server.workspace(mine);
    await connected.open(`body:${workspace}/a.md`);
    const devices = await server.request(mine, 'GET', '/auth/devices');
    let removed = 0;
    for (const device of devices) {
      assert.equal((await server.ask('PATCH', `/auth/devices/${device.id}`, {token: mine, body: {name: 'desk'}})).status, 204);
      const answer = await server.ask('DELETE', `/auth/devices/${device.id}`, {token: mine});
      removed += answer.status === 204 ? 1 : 0;
      assert.ok([204, 400].includes(answer.status));
    }
    assert.equal(removed, 1, 'not the one that is used');
    await until('it is cut', () => connected.closed === 1008);
    assert.equal((await server.ask('GET', '/auth/me', {token: other})).status, 401);
    const own = await Device.connect(server, `token=${mine}`);
    assert.equal((await server.ask('POST', '/auth/logout', {token: mine})).status, 204);
    await until('signed out', () => own.closed === 1008);
    assert.equal((await server.ask('GET', '/auth/me', {token: mine})).status, 401);
  });
});

test('commands beside the running server', async () => {
  await withServer({}, async (server) => {
    const data = ['--data', server.folder];
    const token = server.token();
    assert.match(run(['user', 'list', ...data]).out, /owner@localhost {2}owner\n.*me@example\.org/);
    assert.equal(run(['user', 'add', 'me@example.org', ...data]).code, 1);
    const link = run(['user', 'link', 'me@example.org', ...data]).out;
    const signed = await server.ask('POST', '/auth/verify', {body: {token: link.match(/#(\S+)/)[1]}});
    assert.equal(signed.status, 200);
    const device = await Device.connect(server, `token=${token}`);
    const digits = run(['token', 'list', '--user', 'me@example.org', ...data]).out.split('\n').at(-2).slice(0, 12);
    assert.equal(run(['token', 'revoke', 'ffffffffffff', ...data]).code, 1);
    assert.equal(run(['token', 'revoke', digits.slice(0, 5), ...data]).code, 2);
    // Whichever of the two it was, its connections go and it opens nothing any more.
    assert.equal(run(['token', 'revoke', digits, ...data]).code, 0);
    const rest = run(['device', 'list', '--user', 'me@example.org', ...data]).out.trim().split('\n');
    assert.equal(rest.length, 1);
    assert.equal(run(['device', 'remove', rest[0].split(' ')[0], '--user', 'me@example.org', ...data]).code, 0);
    await until('cut by another process', () => device.closed === 1008);
    // The server is somebody's at any time.
    assert.match(run(['user', 'remove', 'owner@localhost', ...data]).err, /is the owner of the server; first make somebody else/);
    assert.equal(run(['user', 'owner', 'me@example.org', ...data]).code, 0);
    assert.equal(run(['user', 'remove', 'me@example.org', ...data]).code, 1);
    assert.equal((await server.ask('GET', '/metrics', {token: server.token('owner@localhost')})).status, 403);
    assert.equal(run(['user', 'owner', 'owner@localhost', ...data]).code, 0);
    assert.equal((await server.ask('GET', '/metrics', {token: server.token('owner@localhost')})).status, 200);
    assert.equal(run(['user', 'owner', 'nobody@example.org', ...data]).code, 1);
    assert.equal(run(['user', 'remove', 'me@example.org', ...data]).code, 0);
    assert.ok(!run(['user', 'list', ...data]).out.includes('me@example.org'));
    assert.equal(run(['user', 'link', 'me@example.org', ...data]).code, 1);
  });
});

test('no token, code or share code is in the log or in the data folder', async () => {
  const folder = newFolder();
  await withServer({folder, options: ['--log-level', 'trace']}, async (server) => {
    const token = server.token();
    const workspace = await server.workspace(token);
    const share = await server.request(token, 'POST', '/api/share/sessions', {workspace_id: workspace});
    await server.ask('GET', `/api/share/sessions/${share.code}`);
    await server.ask('GET', `/auth/me?token=${token}`);
    const guest = await Device.connect(server, `session=${share.code}`);
    const owner = await Device.connect(server, `token=${token}`);
    await guest.open(`body:${workspace}/a.md`);
    await owner.open(`body:${workspace}/a.md`);
    await server.ask('POST', '/auth/magic-link', {body: {email: 'me@example.org'}});
    await until('the owner sees it', () => shown(server));
    const signed = await server.ask('POST', '/auth/verify', {body: {token: shown(server).token}});
    await server.stop();
    const log = server.log.split('\n').filter((line) => !line.startsWith('diaryx-syncd: ')).join('\n');
    assert.match(log, /route=\/api\/share\/sessions\/\{\}/);
    for (const secret of [token, share.code, share.code.split('-')[0], signed.json.token, shown(server).token]) {
      assert.ok(!log.includes(secret));
      for (const file of readdirSync(folder, {recursive: true, withFileTypes: true})) {
        if (file.isFile()) assert.ok(!readFileSync(join(file.parentPath ?? file.path, file.name)).includes(secret), file.name);
      }
    }
  });
});
