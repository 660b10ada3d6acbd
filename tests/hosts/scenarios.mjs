// One suite of scenarios for every host: two devices of one user, the real server on loopback, the same module.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '../server/server.mjs';

const NOTE = '---\ntitle: Garden\n---\n# Garden\n\none\n\n2\n3\n4\n5\n6\n7\n8\nnine\n';
const FILES = {
  'README.md': '---\ntitle: Root\ncontents:\n  - notes/garden.md\n---\nRoot\n',
  'notes/garden.md': NOTE,
  'notes/\u00fcber \u2744.md': 'snow \ud83d\ude00\n',
  'pic.bin': Buffer.from([0, 1, 2, 255, 128]),
};

const EXPORTS = ('manifest init shutdown handle_command on_event get_config handle_binary_message handle_text_message on_connected '
  + 'on_disconnected queue_local_update on_snapshot_imported sync_body_files execute_typed_command get_component_html').split(' ');
const WORDS = ['', '{', 'null', '[]', '7', '{"command":7}', '{"event_type":"file_saved"}', '{"event_type":null,"payload":[]}', '{"command":"GetFileAt","params":{"path":7}}',
  '{"command":"RestoreHistory","params":{"update_id":1e99,"hunks":[-1]}}', '{"type":""}', '{"workspace_root":5,"server_url":[]}', '{"doc_id":"body:x/../..","data":"!"}',
  '{"file_paths":[null,"../a"]}', '{"type":"file_manifest","client_is_new":false}', '{"type":"crdt_state","state":"AAA"}', '['.repeat(5000), 'x'.repeat(100_000)];

function generator(seed) {
  let at = seed >>> 0;
  return below => {
    at = (Math.imul(at, 1664525) + 1013904223) >>> 0;
    return Math.floor((at / 2 ** 32) * below);
  };
}

function garbage(random) {
  if (random(2) === 0) return WORDS[random(WORDS.length)];
  const bytes = Uint8Array.from({ length: random(200) }, () => random(256));
  // Half of the frames begin as real ones do.
  return random(2) === 0 ? bytes : Buffer.concat([Buffer.from([11]), Buffer.from('workspace:x'), bytes]);
}

/** Registers the suite for one host. */
export function scenarios(host) {
  describe(host.name, { skip: host.skip }, () => {
    let server;
    let users = 0;
    let devices = [];

    before(async () => {
      const origin = await host.origin?.();
      server = await Server.start({ options: origin ? ['--cors-origin', origin] : [] });
    });
    after(async () => {
      await host.close();
      await server?.end();
    });
    afterEach(async () => {
      for (const device of devices.splice(0)) await device.close().catch(() => {});
    });

    // --- words of the scenarios -------------------------------------------------------------------------------------

    const newUser = () => ({ server_url: server.http, auth_token: server.token(`user${++users}@example.org`) });

    async function device(name, user, options = {}) {
      const made = await host.open(name, { ...user, device_name: name }, options);
      devices.push(made);
      const manifest = JSON.parse((await made.call('manifest')).toString());
      assert.equal(manifest.protocol_version ?? 1, 1);
      await made.init(user);
      return made;
    }

    /** Waits for `condition`; devices get the ticks that a status bar gives them. */
    async function until(what, condition, seconds = 60) {
      const end = Date.now() + seconds * 1000;
      let last = '';
      for (;;) {
        for (const each of devices) await each.status().catch(error => { last = error.message; });
        try {
          if (await condition()) return;
        } catch (error) {
          last = error.message;
        }
        if (Date.now() > end) break;
        await sleep(20);
      }
      const states = await Promise.all(devices.map(async each => `${each.name}: ${JSON.stringify(await each.status().catch(String))} ${JSON.stringify(await each.list())}`));
      const logs = (await Promise.all(devices.map(each => each.logs()))).flat().filter(([level]) => level === 'error' || level === 'warn').slice(-6);
      const texts = await Promise.all(devices.map(each => each.read('notes/garden.md')));
      assert.fail(`waited in vain: ${what}${last ? ` (${last})` : ''}\n${states.join('\n')}\n${JSON.stringify(logs)}\n${JSON.stringify(texts)}`);
    }

    const state = async (each, wanted) => (await each.status()).state === wanted;
    const synced = (...which) => until('synced', async () => (await Promise.all(which.map(each => state(each, 'synced')))).every(Boolean));
    const same = async (a, b) => JSON.stringify(await a.all()) === JSON.stringify(await b.all());
    const link = (each, remote_id, name = 'notes') => each.command('LinkWorkspace', { provider_id: 'diaryx.sync', name, remote_id, workspace_root: each.root });

    /** Two devices on one workspace; the first brings `files`. */
    async function pair(files = FILES) {
      const user = newUser();
      const a = await device('laptop', user);
      for (const [path, content] of Object.entries(files)) await a.put(path, content);
      const { remote_id } = await link(a, null);
      await synced(a);
      const b = await device('tablet', user);
      await link(b, remote_id);
      await synced(a, b);
      await until('the same files', () => same(a, b));
      return { a, b, user, remote_id };
    }

    const edit = (each, path, change) => each.edit(path, change);

    // --- the scenarios ----------------------------------------------------------------------------------------------

    test('linking brings what is here to a new workspace, and unlinking ends it', async () => {
      const user = newUser();
      const a = await device('laptop', user);
      assert.deepEqual([(await a.status()).state, (await a.status()).label], ['idle', 'Idle']);
      assert.deepEqual(await a.command('GetProviderStatus', { provider_id: 'diaryx.sync' }), { ready: true, message: null });
      for (const [path, content] of Object.entries(FILES)) await a.put(path, content);
      const linked = await link(a, null);
      assert.equal(linked.created_remote, true);
      await synced(a);
      assert.deepEqual((await a.command('ListRemoteWorkspaces', {})).workspaces, [{ id: linked.remote_id, name: 'notes' }]);
      const listed = (await a.command('ListCrdtFiles')).map(([path]) => path).sort();
      assert.deepEqual(listed, Object.keys(FILES).filter(path => path.endsWith('.md')).sort());
      await a.command('UnlinkWorkspace', {});
      await until('idle', () => state(a, 'idle'));
      assert.equal((await a.command('get_config')).workspace_id ?? null, null);
    });

    test('joining fetches everything, and doubles nothing that was there already', async () => {
      const { a, user, remote_id } = await pair();
      const fresh = await device('fresh', user);
      const { files_imported } = await fresh.command('DownloadWorkspace', { remote_id, workspace_root: fresh.root, link: true });
      assert.equal(files_imported, Object.keys(FILES).length);
      const full = await device('full', user);
      for (const [path, content] of Object.entries(FILES)) await full.put(path, content);
      await link(full, remote_id);
      await synced(a, fresh, full);
      for (const each of [fresh, full]) assert.deepEqual(await each.all(), await a.all());
      await edit(fresh, 'notes/garden.md', text => `${text}ten\n`);
      await until('an edit of the new device', async () => (await a.read('notes/garden.md')) === `${NOTE}ten\n` && (await full.read('notes/garden.md')) === `${NOTE}ten\n`);
    });

    test('edits travel both ways', async () => {
      const { a, b } = await pair();
      await edit(a, 'notes/garden.md', text => text.replace('one', 'ONE'));
      await until('the edit of a', async () => (await b.read('notes/garden.md')).includes('ONE'));
      await edit(b, 'notes/garden.md', text => text.replace('nine', 'NINE \ud83c\udf31'));
      await b.write('new/deep/page.md', 'made by b\n');
      await until('the edits of b', async () => (await a.read('notes/garden.md')).includes('NINE \ud83c\udf31') && (await a.read('new/deep/page.md')) === 'made by b\n');
      await edit(a, 'notes/garden.md', text => text.replace('title: Garden', 'title: The garden'));
      await until('the title', async () => (await b.command('GetCrdtFile', { path: 'notes/garden.md' })).title === 'The garden' && same(a, b));
    });

    test('what both wrote at once is there, once', async () => {
      const { a, b } = await pair();
      for (let round = 0; round < 3; ++round) {
        await Promise.all([edit(a, 'notes/garden.md', text => text.replace(/^2.*$/m, line => `${line} a${round}`)), edit(b, 'notes/garden.md', text => text.replace(/^8.*$/m, line => `${line} b${round}`))]);
        await until(`round ${round}`, async () => {
          const text = await a.read('notes/garden.md');
          return text.includes(`a${round}`) && text.includes(`b${round}`) && same(a, b);
        });
      }
      const text = await a.read('notes/garden.md');
      for (const word of ['a0', 'a1', 'a2', 'b0', 'b1', 'b2', '# Garden']) assert.equal(text.split(word).length, 2, `${word} in ${text}`);
    });

    test('offline edits of both sides meet on the return, also after a restart', async () => {
      const { a, b } = await pair();
      await a.set({ offline: true });
      await until('offline', async () => !(await state(a, 'synced')));
      await edit(a, 'notes/garden.md', text => text.replace('one', 'one, offline'));
      await a.write('made-offline.md', 'a\n');
      await edit(b, 'notes/garden.md', text => text.replace('nine', 'nine, online'));
      await b.remove('notes/\u00fcber \u2744.md');
      await sleep(200);
      assert.equal(await b.read('made-offline.md'), null);
      assert.equal((await a.status()).state === 'synced', false);
      await a.set({ offline: false });
      await until('what happened meanwhile', async () => same(a, b));
      const text = await b.read('notes/garden.md');
      assert.ok(text.includes('one, offline') && text.includes('nine, online'), text);

      await a.put('notes/garden.md', text.replace('2\n', '2, while nothing ran\n'));
      await a.restart();
      await edit(b, 'notes/garden.md', each => each.replace('7\n', '7, meanwhile\n'));
      await until('after the restart', async () => {
        const now = await a.read('notes/garden.md');
        return now.includes('while nothing ran') && now.includes('7, meanwhile') && same(a, b);
      });
    });

    test('a server that goes away and comes back loses nothing', async () => {
      const { a, b } = await pair();
      await server.stop();
      await until('reconnecting', () => state(a, 'reconnecting'));
      await edit(a, 'notes/garden.md', text => text.replace('one', 'one, alone'));
      await edit(b, 'notes/garden.md', text => text.replace('nine', 'nine, alone'));
      await server.open(server.port);
      await until('both edits', async () => (await a.read('notes/garden.md')).includes('nine, alone') && (await b.read('notes/garden.md')).includes('one, alone'));
    });

    test('renames and deletions arrive, and an edit follows its note to the new name', async () => {
      const { a, b } = await pair();
      await b.set({ offline: true });
      await a.rename('notes/garden.md', 'plants/beds.md');
      await edit(b, 'notes/garden.md', text => text.replace('nine', 'nine, under the old name'));
      await b.set({ offline: false });
      await until('the rename and the edit', async () => (await b.read('notes/garden.md')) === null
        && (await a.read('plants/beds.md'))?.includes('under the old name') && same(a, b));
      await a.remove('pic.bin');
      await b.remove('README.md');
      await until('the deletions', async () => (await b.bytes('pic.bin')) === null && (await a.read('README.md')) === null && same(a, b));
    });

    test('the history says what happened, when, on which device, and survives a restart', async () => {
      const { a, b } = await pair();
      const { last_id: then } = await a.command('GetTimeline');
      await edit(a, 'notes/garden.md', text => text.replace('one', 'first'));
      await until('an edit', async () => (await b.read('notes/garden.md')).includes('first'));
      await edit(b, 'notes/garden.md', text => text.replace('nine', 'last'));
      await until('another', async () => (await a.read('notes/garden.md')).includes('last'));
      await a.restart();
      await synced(a, b);

      const entries = await a.command('GetHistory', { doc_name: 'workspace', limit: 50 });
      assert.ok(entries.length >= 2 && entries.every(({ update_id, timestamp }) => update_id > 0 && timestamp > 1.6e12), JSON.stringify(entries));
      assert.ok((await a.command('GetFileHistory', { file_path: 'notes/garden.md', limit: 50 })).length >= 2);
      assert.ok((await a.command('GetVersionDiff', { doc_name: 'workspace', from_id: entries.at(-1).update_id, to_id: entries[0].update_id })).length > 0);
      const { groups } = await a.command('GetTimeline', { path: 'notes/garden.md' });
      const names = groups.map(({ device_name }) => device_name);
      assert.ok(names.includes('laptop') && names.includes('tablet'), JSON.stringify(groups));
      const past = await a.command('GetFileAt', { path: 'notes/garden.md', update_id: then });
      assert.equal(past.text, NOTE);
      const { words, hunks } = await a.command('GetFileDiff', { path: 'notes/garden.md', from_id: then });
      assert.equal(hunks.length, 2);
      assert.equal(words.filter(({ kind }) => kind !== 'added').map(({ text }) => text).join(''), NOTE);
      assert.deepEqual(words.filter(({ kind }) => kind === 'added').map(({ text }) => text), ['first', 'last']);
    });

    test('a version, a hunk and everything come back everywhere; undo keeps what was typed since', async () => {
      const { a, b } = await pair();
      const { last_id: then } = await a.command('GetTimeline');
      await edit(a, 'notes/garden.md', text => text.replace('one', 'ONE').replace('nine', 'NINE'));
      await a.remove('README.md');
      await until('the edits', async () => (await b.read('notes/garden.md')).includes('NINE') && (await b.read('README.md')) === null);

      const choice = { update_id: then, paths: ['notes/garden.md'], hunks: [1] };
      const plan = await a.command('PreviewRestore', choice);
      assert.deepEqual(plan.files.map(({ path, step }) => [path, step]), [['notes/garden.md', 'change']]);
      assert.ok((await a.read('notes/garden.md')).includes('NINE'), 'a preview does nothing');
      await a.command('RestoreHistory', choice);
      await until('one hunk', async () => (await b.read('notes/garden.md')) === NOTE.replace('one', 'ONE'));
      await a.command('RestoreVersion', { doc_name: 'notes/garden.md', update_id: then });
      await until('the file', async () => (await b.read('notes/garden.md')) === NOTE);

      const done = await a.command('RestoreHistory', { update_id: then });
      assert.deepEqual([done.problems, done.files.map(({ path, step }) => [path, step])], [[], [['README.md', 'bring_back']]]);
      await until('everything', async () => (await b.read('README.md')) === FILES['README.md']);
      await edit(b, 'README.md', text => `${text}typed since\n`);
      await until('what was typed', async () => (await a.read('README.md')).includes('typed since'));
      // The file that came back was written in since, so it stays; the text that the version brought goes.
      const { restores } = await a.command('ListRestores');
      assert.equal(restores.length, 3);
      await a.command('UndoRestore', { restore_id: restores[1].restore_id });
      await until('the undo', async () => (await b.read('notes/garden.md')) === NOTE.replace('one', 'ONE'));
      assert.ok((await b.read('README.md')).includes('typed since'));
    });

    test('snapshots have names, say what changed since, and bring some files back', async () => {
      const { a, b } = await pair();
      const made = await a.command('CreateSnapshot', { name: 'before the trip' });
      assert.equal(made.files, Object.keys(FILES).length);
      assert.equal((await a.response('CreateSnapshot', { name: '   ' })).success, false);
      await edit(a, 'notes/garden.md', text => text.replace('one', 'ONE'));
      await edit(a, 'README.md', text => `${text}more\n`);
      await b.write('later.md', 'later\n');
      await until('the changes', async () => (await a.read('later.md')) !== null && (await b.read('README.md')).endsWith('more\n'));
      const { files } = await a.command('GetChangedFiles', { from_id: made.update_id });
      assert.deepEqual(files.map(({ path, kind }) => [path, kind]), [['README.md', 'changed'], ['later.md', 'created'], ['notes/garden.md', 'changed']]);
      const packed = await a.command('PackSnapshot', { update_id: made.update_id });
      const zip = Buffer.from(packed.data, 'base64');
      assert.deepEqual([packed.files, packed.missing, zip.subarray(0, 2).toString()], [Object.keys(FILES).length, [], 'PK']);
      await a.command('RestoreHistory', { update_id: made.update_id, paths: ['notes/garden.md'] });
      await until('one file', async () => (await b.read('notes/garden.md')) === NOTE);
      assert.ok((await b.read('README.md')).endsWith('more\n'));
      await a.command('RenameSnapshot', { name: 'before the trip', new_name: 'May' });
      await a.restart();
      const named = async () => (await a.command('ListSnapshots')).snapshots.filter(({ automatic }) => !automatic).map(({ name }) => name);
      assert.deepEqual(await named(), ['May']);
      await a.command('DeleteSnapshot', { name: 'May' });
      assert.deepEqual(await named(), []);
    });

    test('settings are kept, hide the token, and move the connection', async () => {
      const { a, remote_id } = await pair();
      const config = await a.command('get_config');
      assert.deepEqual([config.server_url, config.workspace_id, config.auth_token], [server.http, remote_id, undefined]);
      await a.call('set_config', JSON.stringify({ server_url: 'http://127.0.0.1:9' }));
      await until('no server there', async () => !(await state(a, 'synced')));
      await a.call('set_config', JSON.stringify({ server_url: `${server.http}/sync2/` }));
      await synced(a);
      assert.equal((await a.command('GetDevice')).device_name, 'laptop');
      await a.command('SetDeviceName', { name: ' desk ' });
      await a.restart();
      await synced(a);
      assert.equal((await a.command('GetDevice')).device_name, 'desk');
      await assert.rejects(a.call('set_config', '{'), /JSON/);
    });

    test('attachments arrive byte for byte, change and go', async () => {
      const { a, b } = await pair();
      const big = Buffer.from(Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) & 0xff));
      await a.write('images/big.bin', big);
      await until('the new one', async () => (await b.bytes('images/big.bin'))?.equals(big));
      await b.write('images/big.bin', big.subarray(0, 1000));
      await until('the change', async () => (await a.bytes('images/big.bin'))?.length === 1000);
      await a.write('empty.bin', '');
      await a.remove('images/big.bin');
      await until('the deletion', async () => (await b.bytes('images/big.bin')) === null && (await b.bytes('empty.bin'))?.length === 0);
    });

    test('host functions that fail cost nothing but time', async () => {
      const { a, b } = await pair();
      await b.set({ broken: ['host_write_file', 'host_write_binary'] });
      await edit(a, 'notes/garden.md', text => text.replace('one', 'while b could not write'));
      await sleep(200);
      await b.status().catch(() => {});
      assert.equal(await b.read('notes/garden.md'), NOTE);
      await b.set({ broken: [] });
      await b.restart();
      await until('b writes again', async () => (await b.read('notes/garden.md')).includes('while b could not write'));

      await a.set({ broken: ['host_read_file', 'host_read_binary'] });
      await a.event('file_saved', { path: a.root === '.' ? 'notes/garden.md' : `${a.root}/notes/garden.md` }).catch(() => {});
      await a.set({ broken: ['host_storage_set'] });
      await edit(a, 'notes/garden.md', text => text.replace('nine', 'nine, not stored')).catch(() => {});
      await a.set({ broken: ['host_http_request'] });
      assert.equal((await a.response('ListRemoteWorkspaces').catch(() => ({ success: false }))).success, false);
      await a.set({ broken: [] });
      await a.restart();
      await until('a is whole', async () => (await b.read('notes/garden.md')).includes('nine, not stored') && same(a, b));
    });

    test('permissions that are denied change nothing, and what waited is done once they are given', async () => {
      const { a, b } = await pair();
      await b.set({ denied: ['edit_files', 'create_files', 'delete_files'] });
      await edit(a, 'notes/garden.md', text => text.replace('one', 'edited'));
      await a.write('new.md', 'new\n');
      await a.remove('README.md');
      await sleep(300);
      await b.status().catch(() => {});
      assert.deepEqual([await b.read('notes/garden.md'), await b.read('new.md'), await b.read('README.md')], [NOTE, null, FILES['README.md']]);
      await b.set({ denied: [] });
      await b.restart();
      await until('what waited', async () => same(a, b));
      assert.equal(await a.read('README.md'), null);

      await b.set({ denied: ['read_files'] });
      await b.event('file_saved', { path: b.root === '.' ? 'notes/garden.md' : `${b.root}/notes/garden.md` }).catch(() => {});
      await sleep(200);
      assert.ok((await a.read('notes/garden.md')).includes('edited'), 'a file that may not be read is not an empty file');
      await b.set({ denied: [] });
      await b.restart();
      await until('still the same', async () => same(a, b));
      assert.ok((await a.read('notes/garden.md')).includes('edited'));
    });

    test('what cannot be stored is not promised', async () => {
      const { a } = await pair();
      const names = async () => (await a.command('ListSnapshots')).snapshots.map(({ name }) => name);
      for (const trouble of [{ denied: ['plugin_storage'] }, { broken: ['host_storage_set'] }]) {
        await a.set(trouble);
        const answer = await a.response('CreateSnapshot', { name: 'not kept' }).catch(() => ({ success: false }));
        assert.equal(answer.success, false);
        await a.set({ denied: [], broken: [] });
        assert.ok(!(await names()).includes('not kept'));
      }
      await a.command('CreateSnapshot', { name: 'kept' });
      assert.ok((await names()).includes('kept'));
    });

    test('a guest is told when the owner ends the share', async () => {
      const { user, remote_id } = await pair();
      const share = await server.request(user.auth_token, 'POST', '/api/share/sessions', { workspace_id: remote_id, read_only: false });
      const guest = await device('guest', { server_url: server.http });
      await guest.command('ConnectLiveShareSession', { workspace_id: remote_id, join_code: share.code });
      await until('the guest is in', () => state(guest, 'synced'));
      await server.request(user.auth_token, 'DELETE', `/api/share/sessions/${share.code}`);
      await until('the guest is told', () => state(guest, 'error'));
      await sleep(500);  // the host tries again meanwhile
      const { state: now, detail } = await guest.status();
      assert.equal(now, 'error');
      assert.match(detail, /share session has ended/);
    });

    test('the build for twelve host functions keeps notes in step with the full one', async () => {
      const { a, user, remote_id } = await pair();
      const c = await device('old host', user, { twelve: true });
      await c.call('set_config', JSON.stringify({ ...user, workspace_id: remote_id }));
      await c.restart();
      await until('the note', async () => (await c.read('notes/garden.md')) === NOTE);
      await edit(c, 'notes/garden.md', text => text.replace('one', 'one from an old host'));
      await until('its edit', async () => (await a.read('notes/garden.md')).includes('old host'));
      await edit(a, 'notes/garden.md', text => text.replace('nine', 'nine from a new one'));
      await until('an edit back', async () => (await c.read('notes/garden.md')) === (await a.read('notes/garden.md')));
      assert.equal(await c.bytes('pic.bin'), null);
      assert.ok(await a.bytes('pic.bin'), 'what it cannot carry stays where it is');
    });

    test('no input to any export, in any order, harms the instance or what is stored', async () => {
      const user = newUser();
      const fresh = await device('fresh', user);
      const { a, b } = await pair();
      const random = generator(20260301);
      for (const each of [fresh, a]) {
        for (let i = 0; i < 400; ++i) {
          const name = EXPORTS[random(EXPORTS.length)];
          await each.call(name, garbage(random)).catch(error => assert.doesNotMatch(String(error), /unreachable|out of bounds|the native host ended/, name));
        }
      }
      await a.restart();
      await a.call('set_config', JSON.stringify({ server_url: server.http }));
      await until('in step again', async () => (await state(a, 'synced')) && same(a, b));
      assert.equal(await b.read('notes/garden.md'), NOTE);
      await edit(a, 'notes/garden.md', text => text.replace('one', 'still at work'));
      await until('an edit', async () => (await b.read('notes/garden.md')).includes('still at work'));
    });

    test('hosts that ask in their own ways are answered', async () => {
      const a = await device('laptop', newUser());
      for (const id of ['sync.history', 'sync.snapshots']) {
        const html = (await a.call('get_component_html', JSON.stringify({ component_id: id }))).toString();
        assert.match(html, /^<!doctype html>[\s\S]*<\/html>\s*$/);
      }
      await assert.rejects(a.call('get_component_html', JSON.stringify({ component_id: 'none' })), /Unknown sync component/);
      const early = await host.open('early', { device_name: 'early' });
      devices.push(early);
      await early.command('SetDeviceName', { name: 'named before init' });
      await early.init();
      const { device_id, device_name } = await early.command('GetDevice');
      assert.deepEqual([device_id.length, device_name], [32, 'named before init']);
      const typed = await a.call('execute_typed_command', JSON.stringify({ type: 'GetSyncStatus' }));
      assert.equal(JSON.parse(typed.toString()).type, 'PluginResult');
      assert.equal(await a.call('execute_typed_command', JSON.stringify({ type: 'NotMine' })), null);
    });
  });
}
