// Every export, with the inputs and answers that the interface states; both SDKs.
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { sdkVersions } from '../plugin.mjs';
import { PretendHost, decodeEnvelope } from './pretend_host.mjs';

const METADATA = {
  filename: 'removed-entry.md', title: 'Removed Entry', part_of: null, contents: null, attachments: [], deleted: false,
  audience: null, description: 'Delete me', extra: {}, modified_at: 1,
};

for (const sdk of sdkVersions) {
  describe(`Extism ${sdk}`, () => {
    let host;
    let plugin;

    beforeEach(async () => {
      host = new PretendHost();
      plugin = await host.load({ sdk });
    });

    const ok = async (command, params = {}) => {
      const { success, data, error } = await plugin.command(command, params);
      assert.equal(success, true, `${command}: ${error}`);
      return data;
    };
    const refused = async (command, params = {}) => {
      const { success, error } = await plugin.command(command, params);
      assert.equal(success, false, `${command} should have failed`);
      return error;
    };
    const init = (options = { workspace_root: null }) => plugin.call('init', JSON.stringify(options));

    describe('manifest', () => {
      let manifest;
      beforeEach(async () => { manifest = await plugin.callJson('manifest'); });

      test('names the plugin and what it can do', () => {
        assert.equal(manifest.id, 'diaryx.sync');
        assert.equal(manifest.name, 'Sync');
        assert.equal(manifest.protocol_version, 1);
        assert.deepEqual(manifest.capabilities, ['workspace_events', 'file_events', 'crdt_commands', 'sync_transport', 'custom_commands']);
      });

      test('asks the host for nothing', () => {
        assert.deepEqual([host.logs, host.sets, host.requests, host.events], [[], [], [], []]);
      });

      test('declares the commands that hosts look for and not those of live share', () => {
        for (const name of ['GetSyncStatus', 'SyncFocusedFileNow', 'GetProviderStatus', 'get_config', 'set_config',
          'get_component_html', 'ListRemoteWorkspaces', 'LinkWorkspace', 'UnlinkWorkspace', 'DownloadWorkspace', 'MaterializeWorkspace']) {
          assert.ok(manifest.commands.includes(name), name);
        }
        for (const name of ['CreateShareSession', 'JoinShareSession', 'EndShareSession', 'SetShareReadOnly']) {
          assert.ok(!manifest.commands.includes(name), name);
        }
      });

      test('answers every command that it declares with something of its own', async () => {
        await init();
        for (const name of manifest.commands) {
          const { success, error } = await plugin.command(name, {});
          if (!success) assert.ok(!error.startsWith('Unknown command'), name);
        }
      });

      test('contributes settings, panels, a status item and a provider', () => {
        const slot = name => manifest.ui.filter(entry => entry.slot === name);
        const [settings] = slot('SettingsTab');
        assert.equal(settings.id, 'sync-settings');
        assert.equal(settings.component, null);
        assert.equal(settings.fields[0].type, 'AuthStatus');
        assert.equal(settings.fields[1].feature, 'Sync');
        assert.equal(settings.fields[2].condition, 'plus');
        assert.deepEqual(settings.fields[2].fields.map(({ type }) => type), ['Section', 'Text', 'Button']);
        assert.deepEqual(slot('SidebarTab').map(({ id }) => id), ['snapshots', 'history']);
        assert.equal(slot('StatusBarItem')[0].plugin_command, 'GetSyncStatus');
        assert.equal(slot('WorkspaceProvider')[0].id, 'diaryx.sync');
        assert.ok(!manifest.ui.some(({ id }) => id === 'share'));
      });

      test('has a command line of eight and permissions with reasons', () => {
        const [cli] = manifest.cli;
        assert.equal(cli.name, 'sync');
        assert.deepEqual(cli.subcommands.map(({ name }) => name), ['login', 'verify', 'logout', 'status', 'start', 'push', 'pull', 'config']);
        for (const { args = [] } of cli.subcommands) for (const arg of args) assert.ok(arg.name && arg.help);
        const { defaults, reasons } = manifest.requested_permissions;
        assert.deepEqual(Object.keys(defaults), Object.keys(reasons));
        assert.deepEqual(defaults.read_files.include, ['all']);
        assert.deepEqual(defaults.edit_files.include, ['all']);
        assert.ok(defaults.plugin_storage && defaults.http_requests);
      });
    });

    describe('config', () => {
      test('keeps what it is given and never hands out the token', async () => {
        await ok('set_config', { server_url: 'https://sync.example.com', auth_token: 'test-token-123', workspace_id: 'ws-abc-456' });
        assert.deepEqual(await ok('get_config'), { server_url: 'https://sync.example.com', workspace_id: 'ws-abc-456' });
        assert.equal(host.storage.get('sync.extism.config').toString(),
          '{"server_url":"https://sync.example.com","auth_token":"test-token-123","workspace_id":"ws-abc-456"}');
      });

      test('clears with null and with blank text, keeps what is not mentioned', async () => {
        await plugin.call('set_config', JSON.stringify({ server_url: 'https://x', auth_token: 't', workspace_id: 'old' }));
        await plugin.call('set_config', JSON.stringify({ server_url: null, auth_token: '  ', workspace_id: ' new ', other: 1 }));
        assert.equal(host.storage.get('sync.extism.config').toString(), '{"server_url":null,"auth_token":null,"workspace_id":"new"}');
        await plugin.call('set_config', JSON.stringify({ workspace_id: 7 }));
        assert.deepEqual(await plugin.callJson('get_config'), { server_url: null, workspace_id: 'new' });
      });

      test('refuses what is no JSON', async () => {
        await assert.rejects(plugin.call('set_config', '{'), /JSON/);
      });
    });

    describe('provider', () => {
      test('is ready when there is a server and a token', async () => {
        assert.deepEqual(await ok('GetProviderStatus'), { ready: false, message: 'Sync server URL is not configured' });
        await ok('set_config', { server_url: 'https://sync.example.com' });
        assert.deepEqual(await ok('GetProviderStatus'), { ready: false, message: 'Sign in to enable sync' });
        await ok('set_config', { auth_token: 'valid-token' });
        assert.deepEqual(await ok('GetProviderStatus'), { ready: true, message: null });
        assert.deepEqual(await ok('GetProviderStatus', { provider_id: 'other' }), { ready: false, message: 'Unsupported provider' });
      });

      test('takes server and token of the host when none is stored', async () => {
        host.context = { server_url: ' https://h/sync2/ ', auth_token: 't' };
        assert.equal((await ok('GetProviderStatus')).ready, true);
      });

      test('says what is missing', async () => {
        assert.equal(await refused('ListRemoteWorkspaces'), 'Missing server_url');
        assert.equal(await refused('LinkWorkspace'), 'Missing server_url');
        assert.equal(await refused('LinkWorkspace', { server_url: 'https://x' }), 'Missing name');
        assert.equal(await refused('DownloadWorkspace'), 'Missing remote_id');
        assert.equal(await refused('LinkWorkspace', { provider_id: 'other' }), 'Unsupported provider');
      });

      test('lists workspaces and leaves out what has no name', async () => {
        let asked;
        host.http = request => {
          asked = request;
          return { status: 200, headers: {}, body: '', body_base64: Buffer.from('[{"id":"1","name":"One"},{"id":2}]').toString('base64') };
        };
        const list = await ok('ListRemoteWorkspaces', { server_url: 'https://h/sync2/sync/', auth_token: 'tok' });
        assert.deepEqual(list, { workspaces: [{ id: '1', name: 'One' }] });
        assert.equal(asked.url, 'https://h/api/workspaces');
        assert.equal(asked.headers.Authorization, 'Bearer tok');
      });

      test('reports an HTTP error with its text', async () => {
        host.http = () => ({ status: 403, headers: {}, body: 'Workspace limit reached (1/1)', body_base64: '' });
        assert.equal(await refused('ListRemoteWorkspaces', { server_url: 'https://h' }), 'HTTP 403: Workspace limit reached (1/1)');
        for (const name of ['retry-after', 'Retry-After']) {
          host.http = () => ({ status: 429, headers: { [name]: '60' }, body: '', body_base64: '' });
          assert.equal(await refused('ListRemoteWorkspaces', { server_url: 'https://h' }), 'HTTP 429 (to be tried again after 60)');
        }
      });

      test('links, connects with a socket address, and unlinks', async () => {
        host.http = () => ({ status: 200, headers: {}, body: '{"id":"w-1","name":"N"}', body_base64: '' });
        await ok('set_config', { server_url: 'https://h/sync', auth_token: 't' });
        await init({ workspace_root: '.' });
        const linked = await ok('LinkWorkspace', { name: 'N', remote_id: null });
        assert.equal(linked.remote_id, 'w-1');
        assert.equal(linked.created_remote, true);
        assert.deepEqual(host.sent('connect').at(-1),
          { type: 'connect', server_url: 'wss://h', workspace_id: 'w-1', write_to_disk: true, auth_token: 't' });
        assert.equal((await ok('GetSyncStatus')).state, 'connecting');
        assert.deepEqual(await ok('UnlinkWorkspace'), { ok: true });
        assert.equal(host.requests.at(-1).type, 'disconnect');
        assert.equal((await ok('GetSyncStatus')).state, 'idle');
      });

      test('asks for namespaces, objects and sessions, one request each', async () => {
        await ok('set_config', { server_url: 'http://h', auth_token: 't' });
        const asked = [];
        let status = 200;
        let body = '{"done":1}';
        host.http = request => {
          asked.push([request.method, request.url, request.body_base64 ? Buffer.from(request.body_base64, 'base64').toString() : '']);
          return { status, headers: {}, body, body_base64: Buffer.from(body).toString('base64') };
        };
        const object = { namespace_id: 'n 1', key: 'a/b.txt' };
        assert.deepEqual(await ok('NsCreateNamespace', { namespace_id: 'n 1' }), { done: 1 });
        assert.deepEqual(await ok('NsListNamespaces'), { done: 1 });
        assert.deepEqual(await ok('NsPutObject', { ...object, body: 'text' }), { done: 1 });
        assert.deepEqual(await ok('NsPutObject', { ...object, body_base64: 'AAE=', content_type: 'x/y' }), { done: 1 });
        assert.deepEqual(await ok('NsGetObject', object), { status: 200, body, body_base64: Buffer.from(body).toString('base64') });
        assert.deepEqual(await ok('NsListObjects', object), { done: 1 });
        assert.deepEqual(await ok('NsCreateSession', { namespace_id: 'n 1', read_only: true }), { done: 1 });
        assert.deepEqual(await ok('NsGetSession', { code: 'A?B' }), { done: 1 });
        status = 204;
        body = '';
        assert.equal(await ok('NsDeleteObject', object), null);
        assert.equal(await ok('NsDeleteSession', { code: 'A?B' }), null);
        assert.match(await refused('NsListObjects', object), /HTTP 204/);
        const place = 'http://h/namespaces/n%201/objects';
        assert.deepEqual(asked.slice(0, 10), [
          ['POST', 'http://h/namespaces', '{"id":"n 1"}'], ['GET', 'http://h/namespaces', ''],
          ['PUT', `${place}/a%2Fb.txt`, 'text'], ['PUT', `${place}/a%2Fb.txt`, '\0\x01'],
          ['GET', `${place}/a%2Fb.txt`, ''], ['GET', place, ''],
          ['POST', 'http://h/sessions', '{"namespace_id":"n 1","read_only":true}'], ['GET', 'http://h/sessions/A%3FB', ''],
          ['DELETE', `${place}/a%2Fb.txt`, ''], ['DELETE', 'http://h/sessions/A%3FB', ''],
        ]);
        status = 404;
        assert.equal(await ok('NsGetObject', object), null);
        assert.equal(await ok('NsGetSession', { code: 'A' }), null);
        assert.match(await refused('NsDeleteObject', object), /HTTP 404/);
        status = 200;
        body = 'no json';
        assert.equal(await refused('NsListNamespaces'), 'Invalid response');
        assert.equal(await refused('NsCreateNamespace'), 'Missing namespace_id');
        assert.equal(await refused('NsGetObject', { namespace_id: 'n' }), 'Missing key');
        assert.equal(await refused('NsGetSession'), 'Missing code');
        assert.equal(await refused('NsPutObject', object), 'Missing body or body_base64');
        assert.match(await refused('NsPutObject', { ...object, body_base64: '*' }), /^Invalid base64: /);
      });

      test('shows an error when the host does not connect', async () => {
        host.socketAnswer = { ok: false, error: 'no route' };
        await ok('set_config', { server_url: 'https://h', auth_token: 't', workspace_id: 'w' });
        await init();
        const status = await ok('GetSyncStatus', null);
        assert.equal(status.state, 'error');
        assert.equal(status.detail, 'no route');
      });

      test('downloads a snapshot, skips what is unsafe, and packs one that it can read again', async () => {
        await init({ workspace_root: 'W' });
        host.files.set('W/a.md', Buffer.from('# A\n'));
        host.files.set('W/pic/b.bin', Buffer.from([0, 255, 1]));
        host.files.set('W/.diaryx/secret', Buffer.from('no'));
        let zip;
        host.http = request => {
          zip = Buffer.from(request.body_base64, 'base64');
          assert.equal(request.url, 'https://h/api/workspaces/id%2F1/snapshot?mode=merge&include_attachments=true');
          return { status: 200, headers: {}, body: '{"files_imported":1}', body_base64: '' };
        };
        const up = await ok('UploadWorkspaceSnapshot', { server_url: 'https://h', remote_id: 'id/1' });
        assert.equal(up.files_uploaded, 2);
        // What is on the server goes only when somebody says so.
        let url;
        host.http = request => { url = request.url; return { status: 200, headers: {}, body: '{"files_imported":1}', body_base64: '' }; };
        await ok('UploadWorkspaceSnapshot', { server_url: 'https://h', remote_id: 'id/1', mode: 'replace' });
        assert.match(url, /mode=replace/);
        host.files.clear();
        host.http = () => ({ status: 200, headers: {}, body: '', body_base64: zip.toString('base64') });
        const down = await ok('DownloadWorkspace', { server_url: 'https://h', remote_id: 'id/1' });
        assert.equal(down.files_imported, 2);
        assert.deepEqual([...host.files].sort(), [['W/a.md', Buffer.from('# A\n')], ['W/pic/b.bin', Buffer.from([0, 255, 1])]]);
      });

      test('refuses a snapshot that is none', async () => {
        host.http = () => ({ status: 200, headers: {}, body: 'hello', body_base64: '' });
        assert.match(await refused('DownloadWorkspace', { server_url: 'https://h', remote_id: 'x' }), /^Invalid snapshot zip: /);
        host.http = () => ({ status: 200, headers: {}, body: '', body_base64: '' });
        assert.equal(await refused('DownloadWorkspace', { server_url: 'https://h', remote_id: 'x' }), 'Snapshot download returned empty body');
      });
    });

    describe('documents', () => {
      test('are not there before init, and say so', async () => {
        assert.equal(await refused('GetSyncState'), 'Plugin state not initialized');
        assert.equal(await refused('ListCrdtFiles'), 'Plugin state not initialized');
      });

      test('are empty after init', async () => {
        await init();
        assert.deepEqual(await ok('ListCrdtFiles'), []);
        assert.deepEqual(await ok('GetSyncState'), { data: 'AA==' });
        assert.deepEqual(await ok('GetSyncStatus'), { state: 'idle', label: 'Idle', detail: null, progress: null });
        assert.deepEqual(await ok('GetBodyContent', { doc_name: 'a.md' }), { content: '' });
      });

      test('hold an entry that was set', async () => {
        await init();
        await ok('SetCrdtFile', { path: 'docs/test-entry.md', metadata: { title: 'Test Entry', created: '2025-01-01T00:00:00Z' } });
        const entry = await ok('GetCrdtFile', { path: 'docs/test-entry.md' });
        assert.equal(entry.title, 'Test Entry');
        assert.equal(entry.filename, 'test-entry.md');
        assert.equal(await ok('GetCrdtFile', { path: 'other.md' }), null);
      });

      test('keep a deleted entry as a tombstone', async () => {
        await init();
        await ok('SetCrdtFile', { path: 'docs/removed-entry.md', metadata: METADATA });
        await plugin.call('on_event', JSON.stringify({ event_type: 'file_deleted', payload: { path: 'docs/removed-entry.md' } }));
        assert.deepEqual((await ok('ListCrdtFiles')).filter(([path]) => path === 'docs/removed-entry.md'), []);
        const all = await ok('ListCrdtFiles', { include_deleted: true });
        assert.equal(all.find(([path]) => path === 'docs/removed-entry.md')[1].deleted, true);
      });

      test('survive a restart', async () => {
        await init();
        await ok('SetCrdtFile', { path: 'a.md', metadata: { title: 'A' } });
        await ok('SetBodyContent', { doc_name: 'a.md', content: 'grüße 😀\n' });
        const again = await host.load({ sdk });  // without shutdown: a closed tab
        await again.call('init', '{}');
        assert.equal((await again.command('GetCrdtFile', { path: 'a.md' })).data.title, 'A');
        assert.equal((await again.command('GetBodyContent', { doc_name: 'a.md' })).data.content, 'grüße 😀\n');
      });

      test('are stored on shutdown, an empty one too', async () => {
        await init();
        await plugin.call('shutdown', '');
        assert.ok(host.sets.includes('workspace_crdt'));
        assert.deepEqual([...host.storage.get('workspace_crdt')], [0, 0]);
      });

      test('walk the tree on disk, and again when it has grown', async () => {
        await init({ workspace_root: '/abs/D' });
        host.files.set('/abs/D/README.md', Buffer.from('---\ntitle: Workspace Root\ncontents: []\n---\n\nRoot body\n'));
        const first = await ok('InitializeWorkspaceCrdt', { workspace_path: '/abs/D/README.md' });
        assert.equal(first.message, '1 files populated');
        host.files.set('/abs/D/live-create.md', Buffer.from('---\ntitle: Live Create\npart_of: /README.md\n---\n\nChild body\n'));
        host.files.set('/abs/D/README.md', Buffer.from('---\ntitle: Workspace Root\ncontents:\n  - live-create.md\n---\n\nRoot body\n'));
        for (const [event_type, path] of [['file_created', 'live-create.md'], ['file_saved', 'README.md']]) {
          await plugin.call('on_event', JSON.stringify({ event_type, payload: { path } }));
        }
        await ok('InitializeWorkspaceCrdt', { workspace_path: '/abs/D/README.md' });
        const files = await ok('ListCrdtFiles');
        assert.equal(files.find(([path]) => path === 'live-create.md')[1].title, 'Live Create');
      });

      test('need a root index', async () => {
        await init();
        assert.match(await refused('InitializeWorkspaceCrdt', { workspace_path: '/nowhere' }), /No workspace root index found/);
      });

      test('are handed out for a host to send', async () => {
        await init();
        assert.equal((await ok('TriggerWorkspaceSync')).emitted, false);
        await ok('SetCrdtFile', { path: 'docs/test-entry.md', metadata: METADATA });
        for (const write_to_disk of [true, false]) {
          await ok('PrepareLiveShareRuntime', { workspace_id: 'workspace-1', write_to_disk });
          const { emitted, data } = await ok('TriggerWorkspaceSync');
          assert.equal(emitted, true);
          const message = Buffer.from(data, 'base64');
          assert.deepEqual([message[0], message[1]], [0, 2]);
          assert.equal(message.includes('Removed Entry'), write_to_disk, 'a folder that is linked to nothing shares what is in it, or nothing');
          await ok('DisconnectLiveShareSession');
        }
      });

      test('go on without a snapshot that makes the host end the call', async () => {
        await init({ workspace_root: '.', server_url: 'http://s', auth_token: 't', workspace_id: 'W' });
        await plugin.call('on_connected', '{}');
        host.broken = { host_http_request: 'throw' };
        const manifest = '{"type":"file_manifest","files":[],"client_is_new":true}';
        await assert.rejects(plugin.call('handle_text_message', manifest));
        host.requests.length = 0;
        await ok('GetSyncStatus');
        assert.deepEqual(host.requests.map(({ type }) => type), ['disconnect', 'connect']);  // native hosts have none any more
        assert.equal((await ok('GetSyncStatus')).state, 'connecting');
        await plugin.call('on_connected', '{}');
        const actions = decodeEnvelope(await plugin.call('handle_text_message', manifest));
        assert.ok(actions.some(({ type, payload }) => type === 1 && Buffer.from(payload).includes('FilesReady')));
      });

      test('answer sync messages of a host with a transport of its own', async () => {
        await init();
        await ok('SetBodyContent', { doc_name: 'n.md', content: 'Hello' });
        const step1 = Buffer.from([0, 0, 1, 0]).toString('base64');
        const { response } = await ok('HandleBodySyncMessage', { doc_name: 'n.md', message: step1 });
        assert.ok(Buffer.from(response, 'base64').includes('Hello'));
        // Client 1 inserts "Hello" into another body.
        const update = Buffer.from('00020101000100', 'hex');
        assert.ok(await refused('HandleBodySyncMessage', { doc_name: 'n.md', message: update.toString('base64') }));
        const good = Buffer.from('00021201010100040104626f64790548656c6c6f00', 'hex').toString('base64');
        assert.deepEqual(await ok('HandleBodySyncMessage', { doc_name: 'm.md', message: good }), { response: null, content: 'Hello', is_echo: false });
        assert.equal((await ok('GetBodyContent', { doc_name: 'm.md' })).content, 'Hello');
      });

      test('take bytes as base64 and as numbers, and name what they are not', async () => {
        await init();
        assert.equal(await refused('ApplyRemoteUpdate', { update: [1, 256] }), 'Plugin command error: Invalid byte in array');
        assert.match(await refused('ApplyRemoteUpdate', { update: '*' }), /Invalid base64/);
        assert.equal(await refused('ApplyRemoteUpdate', { update: 7 }), 'Plugin command error: Expected base64 string or byte array');
        await ok('ApplyRemoteUpdate', { update: [0, 0] });
        assert.equal(await refused('GetBodyContent'), 'Plugin command error: Missing parameter: doc_name');
      });
    });

    describe('storage', () => {
      test('is not touched by a look at the module', async () => {
        await plugin.callJson('manifest');
        assert.deepEqual(host.logs, []);
        await plugin.call('shutdown', '{}');
        assert.deepEqual(host.sets, []);
        assert.equal(host.logs.length, 1);  // but says that there was nothing to do
      });

      test('never loses to a start that found nothing', async () => {
        await init();
        await ok('SetCrdtFile', { path: 'kept.md', metadata: { title: 'Kept' } });
        await plugin.call('shutdown', '{}');
        // A host that runs init before it knows which plugin this is: storage is empty, then it is not.
        const full = host.storage;
        host.storage = new Map();
        const early = await host.load({ sdk });
        await early.call('init', '{}');
        host.storage = full;
        assert.equal((await early.command('GetCrdtFile', { path: 'kept.md' })).data?.title, 'Kept');
        await early.call('shutdown', '{}');
        const late = await host.load({ sdk });
        await late.call('init', '{}');
        assert.equal((await late.command('GetCrdtFile', { path: 'kept.md' })).data?.title, 'Kept');
      });

      test('keeps a damaged document aside', async () => {
        host.storage.set('workspace_crdt', Buffer.from([9, 9, 9, 255]));
        await init();
        await ok('SetCrdtFile', { path: 'a.md', metadata: {} });
        await plugin.call('shutdown', '{}');
        assert.deepEqual([...host.storage.get('damaged:workspace_crdt')], [9, 9, 9, 255]);
      });
    });

    describe('panels', () => {
      test('come as pages of their own', async () => {
        for (const component_id of ['sync.snapshots', 'sync.history']) {
          const page = Buffer.from(await plugin.call('get_component_html', JSON.stringify({ component_id }))).toString();
          assert.match(page, /^<!doctype html>/);
          assert.ok(!/@[a-z]+\.(css|js)@/.test(page) && !page.includes('http://') && !page.includes('https://'));
          assert.equal(await ok('get_component_html', { component_id }), page);
        }
      });

      test('are refused by an unknown name', async () => {
        const component_id = 'nonexistent.component';
        assert.equal(await refused('get_component_html', { component_id }), `Unknown sync component: ${component_id}`);
        await assert.rejects(plugin.call('get_component_html', JSON.stringify({ component_id })), /Unknown sync component/);
        assert.ok(await refused('get_component_html', { component_id: 'sync.settings' }));
      });
    });

    describe('typed commands', () => {
      test('answer as a plugin result, or not at all when they are not ours', async () => {
        const status = await plugin.callJson('execute_typed_command', { type: 'GetSyncStatus', params: null });
        assert.deepEqual(status, { type: 'PluginResult', data: { state: 'idle', label: 'Idle', detail: null, progress: null } });
        assert.equal(await plugin.callJson('execute_typed_command', { type: 'ReadEntry' }), null);
        await assert.rejects(plugin.callJson('execute_typed_command', { type: 'GetSyncState' }), /Plugin state not initialized/);
        await assert.rejects(plugin.callJson('execute_typed_command', { params: {} }), /type/);
      });
    });

    describe('the socket', () => {
      const connect = async () => {
        await ok('set_config', { server_url: 'http://h', auth_token: 't', workspace_id: 'ws1' });
        await init({ workspace_root: '.' });
        return plugin.call('on_connected', JSON.stringify({ workspace_id: 'ws1', write_to_disk: true }));
      };
      // "workspace:ws1" with SyncStep1 of an empty document.
      const STEP1 = Buffer.concat([Buffer.from([13]), Buffer.from('workspace:ws1'), Buffer.from([0, 0, 1, 0])]);

      test('says hello with SyncStep1 and tells what it did', async () => {
        const actions = decodeEnvelope(await connect());
        assert.deepEqual(Buffer.from(actions.find(({ type }) => type === 0).payload), STEP1);
        assert.ok(actions.some(({ type, payload }) => type === 2
          && JSON.parse(Buffer.from(payload).toString()).type === 'statusChanged'));
        assert.equal(host.sent('send_binary')[0].data, STEP1.toString('base64'));
        assert.ok(host.events.some(({ type, status }) => type === 'SyncStatusChanged' && status === 'connected'));
        assert.equal((await ok('GetSyncStatus')).state, 'syncing');
      });

      test('answers a manifest with FilesReady', async () => {
        await connect();
        const actions = decodeEnvelope(await plugin.call('handle_text_message', '{"type":"file_manifest","files":[],"client_is_new":false}'));
        assert.deepEqual(actions.filter(({ type }) => type === 1).map(({ payload }) => Buffer.from(payload).toString()), ['{"type":"FilesReady"}']);
      });

      test('is told when it is gone, and stores nothing twice', async () => {
        await connect();
        const bytes = await plugin.call('on_disconnected');
        assert.ok(decodeEnvelope(bytes).some(({ payload }) => Buffer.from(payload).toString().includes('disconnected')));
        assert.equal((await ok('GetSyncStatus')).state, 'reconnecting');
        const stored = host.sets.length;
        await plugin.call('on_disconnected');
        assert.equal(host.sets.length, stored);
      });

      test('gives an empty envelope when there is no session', async () => {
        for (const name of ['handle_binary_message', 'handle_text_message', 'on_disconnected', 'on_snapshot_imported']) {
          assert.deepEqual([...await plugin.call(name, 'x')], [0, 0], name);
        }
        assert.deepEqual([...await plugin.call('sync_body_files', '{"file_paths":["a.md"]}')], [0, 0]);
        assert.deepEqual([...await plugin.call('queue_local_update', '{}')], [0, 0]);
      });

      test('is replaced for a session that is made while it is open', async () => {
        await connect();
        host.requests.length = 0;
        await init({ workspace_root: '.' });
        assert.deepEqual(host.requests.slice(-2).map(({ type }) => type), ['disconnect', 'connect']);
        await connect();
        assert.ok(host.sent('send_binary').some(({ data }) => data === STEP1.toString('base64')));
      });

      test('announces an import', async () => {
        await connect();
        const texts = decodeEnvelope(await plugin.call('on_snapshot_imported', 'anything')).filter(({ type }) => type === 1);
        assert.equal(Buffer.from(texts[0].payload).toString(), '{"type":"FilesReady"}');
      });

      test('carries frames of 64 KB', async () => {
        await connect();
        const frame = Buffer.concat([STEP1, Buffer.alloc(65536, 1)]);
        decodeEnvelope(await plugin.call('handle_binary_message', frame));
        assert.equal((await ok('GetSyncStatus')).label.length > 0, true);
      });
    });
  });
}
