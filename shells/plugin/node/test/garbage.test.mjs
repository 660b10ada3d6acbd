// Every export with garbage, in any order, before init and after shutdown, with a host that fails, is silent or lies:
// an error or an answer, never a dead instance, and nothing that was stored gets lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PretendHost, decodeEnvelope } from './pretend_host.mjs';

const EXPORTS = ['manifest', 'init', 'shutdown', 'handle_command', 'execute_typed_command', 'get_component_html', 'on_event',
  'get_config', 'set_config', 'handle_binary_message', 'handle_text_message', 'on_connected', 'on_disconnected',
  'queue_local_update', 'on_snapshot_imported', 'sync_body_files'];
const ENVELOPES = new Set(['handle_binary_message', 'handle_text_message', 'on_connected', 'on_disconnected',
  'queue_local_update', 'on_snapshot_imported', 'sync_body_files']);

// A small generator, so that a failing run can be repeated: DX_SEED=7.
function random(seed) {
  let state = seed >>> 0 || 1;
  return limit => {
    state ^= state << 13; state >>>= 0; state ^= state >>> 17; state ^= state << 5; state >>>= 0;
    return state % limit;
  };
}

const WORKSPACE = Buffer.concat([Buffer.from([13]), Buffer.from('workspace:ws1')]);
const BODY = Buffer.concat([Buffer.from([19]), Buffer.from('body:ws1/notes/a.md')]);

function makeInput(pick) {
  const noise = size => Buffer.from(Array.from({ length: size }, () => pick(256)));
  const kinds = [
    () => '', () => '{}', () => 'null', () => '[]', () => '"x"', () => '{', () => '\u0000', () => '{"command":7,"params":[]}',
    () => JSON.stringify({ command: COMMANDS[pick(COMMANDS.length)], params: paramsOf(pick) }),
    () => JSON.stringify({ type: COMMANDS[pick(COMMANDS.length)], params: paramsOf(pick) }),
    () => JSON.stringify({ event_type: ['file_saved', 'file_created', 'file_deleted', 'file_moved', 'file_opened', 'workspace_opened', 'x'][pick(7)],
      payload: paramsOf(pick) }),
    () => JSON.stringify({ workspace_id: ['ws1', '', 7, 'other', null][pick(5)], workspace_root: ['.', null, '/r', 5][pick(4)] }),
    () => '['.repeat(5000), () => '{"a":'.repeat(3000),
    () => noise(pick(300)), () => Buffer.concat([WORKSPACE, noise(pick(60))]), () => Buffer.concat([BODY, noise(pick(60))]),
    () => Buffer.concat([WORKSPACE, Buffer.from([0, pick(4), pick(200)]), noise(pick(80))]),
    () => JSON.stringify({ type: ['file_manifest', 'crdt_state', 'sync_complete', 'saved', 'server_hello', 'error', 'peer_joined'][pick(7)],
      ...paramsOf(pick) }),
  ];
  return kinds[pick(kinds.length)]();
}

let COMMANDS = [];
const VALUES = ['', 'a.md', '../x', '/etc/passwd', 'a'.repeat(300), 'notes/a.md', 'AAA=', '*', null, 7, -1, 1e300, true, [], [1, 2, 300], {}, '\ud800',
  1, 2, 3, 2 ** 53, ['a.md'], ['notes/a.md', ''], [0], 'sync', 'replace'];
const NAMES = ['path', 'doc_name', 'content', 'update', 'message', 'state', 'metadata', 'old_path', 'new_path', 'file_paths', 'doc_id', 'data',
  'workspace_path', 'workspace_id', 'remote_id', 'name', 'remote_state_vector', 'files', 'doc', 'received', 'client_is_new', 'component_id',
  'server_url', 'auth_token', 'workspace_root', 'canonical_path', 'storage_path', 'session_code', 'update_id', 'from_id', 'to_id', 'paths',
  'hunks', 'limit', 'known_id', 'restore_id', 'preview', 'new_name', 'file_path', 'mode', 'provider_id', 'include_attachments', 'link'];
function paramsOf(pick) {
  const params = {};
  for (let i = pick(5); i > 0; --i) params[NAMES[pick(NAMES.length)]] = VALUES[pick(VALUES.length)];
  return params;
}

const LIES = ['', 'null', '{}', '[]', '{"data":7}', '{"data":"*"}', 'garbage', '{"status":"x"}', '"text"', '-5', 'true', 'throw'];

async function call(plugin, name, input) {
  try {
    const output = await plugin.call(name, input);
    if (ENVELOPES.has(name)) decodeEnvelope(output);
    return output;
  } catch (error) {
    // An error of the plugin or of a failing host; a trap of the module's own making is a bug.
    assert.ok(!(error instanceof WebAssembly.RuntimeError), `${name}(${String(input).slice(0, 200)}): ${error.stack}`);
    return null;
  }
}

async function assertAlive(plugin) {
  assert.equal((await plugin.callJson('manifest')).id, 'diaryx.sync');
  assert.ok((await plugin.command('GetSyncStatus', null)).data.state);
}

describe('garbage', () => {
  const seed = Number(process.env.DX_SEED ?? 1);

  test('of any kind is refused or answered, in any order', async () => {
    const host = new PretendHost();
    const plugin = await host.load();
    COMMANDS = (await plugin.callJson('manifest')).commands;
    const pick = random(seed);
    for (let step = 0; step < 3000; ++step) {
      await call(plugin, EXPORTS[pick(EXPORTS.length)], makeInput(pick));
      if (step % 500 === 0) await assertAlive(plugin);
    }
    await assertAlive(plugin);
  });

  test('from a host that fails, is silent or lies', async () => {
    const host = new PretendHost();
    host.files.set('notes/a.md', Buffer.from('# A'));
    const plugin = await host.load();
    const pick = random(seed + 1);
    const names = Object.keys(host.functions());
    for (let step = 0; step < 2000; ++step) {
      host.broken = {};
      for (let i = pick(3); i > 0; --i) host.broken[names[pick(names.length)]] = LIES[pick(LIES.length)];
      await call(plugin, EXPORTS[pick(EXPORTS.length)], makeInput(pick));
    }
    host.broken = null;
    await assertAlive(plugin);
  });

  test('does not take anything away from what is stored', async () => {
    const host = new PretendHost();
    const first = await host.load();
    await first.call('init', '{}');
    await first.command('SetCrdtFile', { path: 'kept.md', metadata: { title: 'Kept' } });
    await first.command('SetBodyContent', { doc_name: 'kept.md', content: 'kept\n' });
    await first.command('CreateSnapshot', { name: 'kept' });
    const history = async plugin => (await plugin.command('GetHistory', { doc_name: 'workspace' })).data.map(({ update_id }) => update_id);
    const past = await history(first);
    assert.equal(past.length, 2);
    await first.call('shutdown', '{}');
    const plugin = await host.load();
    const pick = random(seed + 2);
    const names = Object.keys(host.functions()).filter(name => !name.includes('storage'));
    await call(plugin, 'init', '{}');
    for (let step = 0; step < 300; ++step) {
      host.broken = { [names[pick(names.length)]]: LIES[pick(LIES.length)] };
      await call(plugin, ['handle_binary_message', 'handle_text_message', 'on_event', 'on_disconnected'][pick(4)],
        Buffer.from(Array.from({ length: pick(100) }, () => pick(256))));
    }
    host.broken = null;
    await call(plugin, 'shutdown', '');
    const last = await host.load();
    await last.call('init', '{}');
    assert.equal((await last.command('GetCrdtFile', { path: 'kept.md' })).data?.title, 'Kept');
    assert.equal((await last.command('GetBodyContent', { doc_name: 'kept.md' })).data?.content, 'kept\n');
    const found = await history(last);
    assert.ok(past.every(id => found.includes(id)), `${found} has lost some of ${past}`);
    assert.equal((await last.command('ListSnapshots')).data.snapshots.filter(({ name }) => name === 'kept').length, 1);
  });

  test('that is not refused with an error leaves a line in the log', async () => {
    const host = new PretendHost();
    const plugin = await host.load();
    const silent = async (name, input) => {
      const before = host.logs.length;
      await plugin.call(name, input);
      return host.logs.length === before;
    };
    for (const name of ENVELOPES) if (name !== 'queue_local_update') assert.ok(!await silent(name, '{}'), `${name} before init`);
    assert.ok(!await silent('on_event', '{"event_type":"file_saved","payload":{"path":"a.md"}}'), 'an event before init');
    await plugin.call('init', '{}');
    await plugin.call('on_connected', '{"workspace_id":"ws1"}');
    assert.ok(!await silent('on_event', '{"event_type":"file_saved"}'), 'an event without a payload');
    assert.ok(!await silent('handle_binary_message', Buffer.from([255, 1])), 'a frame that is cut off');
    assert.ok(!await silent('handle_text_message', '{'), 'a text that is no JSON');
    assert.ok(!await silent('queue_local_update', '{}'), 'an update of nothing');
    await plugin.call('shutdown', '{}');
    assert.ok(!await silent('shutdown', '{}'), 'a second shutdown');
  });

  test('of great size is taken or refused', async () => {
    const host = new PretendHost();
    const plugin = await host.load();
    await plugin.call('init', '{}');
    const big = Buffer.alloc(4 << 20, 0x7b);
    for (const name of EXPORTS) await call(plugin, name, big);
    await assertAlive(plugin);
  });
});

describe('a trap in a host function', () => {
  // Nobody says it twice: on a new line the server says all of it again.
  test('asks for another line when what the socket told was not heard', async () => {
    for (const [name, input] of [['on_connected', '{"workspace_id":"ws1"}'], ['handle_binary_message', '\x01x'], ['handle_text_message', '{}']]) {
      const host = new PretendHost();
      const plugin = await host.load();
      await plugin.call('init', JSON.stringify({ server_url: 'http://h', auth_token: 't', workspace_id: 'ws1', workspace_root: '.' }));
      if (name !== 'on_connected') await plugin.call('on_connected', '{"workspace_id":"ws1"}');
      host.broken = { host_get_timestamp: 'throw' };
      await assert.rejects(plugin.call(name, input));
      host.broken = null;
      host.requests = [];
      await plugin.command('GetSyncStatus');
      assert.deepEqual(host.requests.map(({ type }) => type), ['disconnect', 'connect'], name);
      await plugin.call('on_connected', '{"workspace_id":"ws1"}');
      await plugin.command('GetSyncStatus');
      assert.equal(host.sent('connect').length, 1);
    }
  });

  test('leaves the instance usable and the work to be done', async () => {
    const host = new PretendHost();
    const plugin = await host.load();
    await plugin.call('set_config', JSON.stringify({ server_url: 'http://h', auth_token: 't', workspace_id: 'ws1' }));
    await plugin.call('init', '{"workspace_root":"."}');
    host.broken = { host_ws_request: 'throw' };
    await assert.rejects(plugin.call('on_connected', '{"workspace_id":"ws1"}'));
    host.broken = { host_storage_set: 'throw' };
    await assert.rejects(plugin.command('SetCrdtFile', { path: 'a.md', metadata: { title: 'A' } }));
    host.broken = null;
    await assertAlive(plugin);
    // What could not be stored is kept, and stored by the next call.
    assert.equal((await plugin.command('GetCrdtFile', { path: 'a.md' })).data?.title, 'A');
    const kept = await host.load();
    await kept.call('init', '{}');
    assert.equal((await kept.command('GetCrdtFile', { path: 'a.md' })).data?.title, 'A');
    await plugin.call('on_connected', '{"workspace_id":"ws1"}');
    assert.ok(host.sent('send_binary').length > 0);
    await plugin.call('shutdown', '{}');
    const again = await host.load();
    await again.call('init', '{}');
    assert.equal((await again.command('GetCrdtFile', { path: 'a.md' })).data?.title, 'A');
  });

  test('many times over does not wear the instance out', async () => {
    const host = new PretendHost();
    const plugin = await host.load();
    await plugin.call('init', '{"workspace_root":"."}');
    host.files.set('a.md', Buffer.from('x'));
    host.broken = { host_read_binary: 'throw' };
    const event = JSON.stringify({ event_type: 'file_saved', payload: { path: 'a.md' } });
    for (let i = 0; i < 2000; ++i) await call(plugin, 'on_event', event);
    host.broken = null;
    await assertAlive(plugin);
  });

  test('that calls back into the plugin gets an error and no harm', async () => {
    const host = new PretendHost();
    let inner = 'not called';
    const functions = host.functions();
    const plain = functions.host_log;
    let instance;
    functions.host_log = (context, offset) => {
      inner = instance?.exports.on_disconnected();
      return plain(context, offset);
    };
    const { default: createPlugin } = await import('@extism/extism');
    const { readFile } = await import('node:fs/promises');
    const { WASM } = await import('./pretend_host.mjs');
    const plugin = await createPlugin({ wasm: [{ data: await readFile(WASM) }] }, { useWasi: false, functions: { 'extism:host/user': functions } });
    instance = await plugin.getInstance();
    await assert.rejects(plugin.call('init', '{}'), /busy/);  // the inner error text is what the SDK finds
    assert.equal(inner, 1);
    instance = null;
    assert.ok((await plugin.call('manifest', '')).json().id);
  });
});
