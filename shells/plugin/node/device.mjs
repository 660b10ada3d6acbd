// A device: the plugin, a real folder, a real socket, and the few rules that hold them together.
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Folder, HOST_FOLDER } from './files.mjs';
import { hostFunctions } from './functions.mjs';
import { BlockingHttp } from './http.mjs';
import { Plugin } from './plugin.mjs';
import { SocketBridge } from './socket.mjs';
import { Storage } from './storage.mjs';
import { Watcher } from './watcher.mjs';

const SUPPORTED_PROTOCOL = 1;
const TICK_MS = 250;   // the guest has no timer of its own; hosts poll the status bar, which is its clock
const SETTLE_MS = 15;

export class Device {
  #options;
  #folder;
  #http = new BlockingHttp();
  #socket;
  #watcher;
  #plugin;
  #tick = null;
  #settle = null;
  #lastStatus = '';
  #onStatus;
  #log;
  #pending = 0;

  /**
   * @param {{plugin: string, folder: string, server: string, token: string, workspace?: string, deviceName?: string,
   *   workspaceId?: string, onlyFunctions?: string[], sdk?: string}} options
   * @param {{status(status), log(level, message), emit?(event)}} listeners
   */
  constructor(options, listeners) {
    this.#options = options;
    this.#onStatus = listeners.status;
    this.#log = listeners.log;
    mkdirSync(options.folder, { recursive: true });
    this.#folder = new Folder(options.folder);
    this.#socket = new SocketBridge({
      connected: ({ workspace_id, write_to_disk }) => this.#send('on_connected', JSON.stringify({ workspace_id, write_to_disk })),
      binary: bytes => this.#send('handle_binary_message', bytes),
      text: bytes => this.#send('handle_text_message', bytes),
      disconnected: () => this.#send('on_disconnected'),
    });
    this.emit = listeners.emit ?? (() => {});
  }

  /** Loads the plugin and links the folder to the workspace of that id or name. */
  async start() {
    const { plugin, server, token, sdk } = this.#options;
    const storage = new Storage(join(this.#folder.root, HOST_FOLDER, 'plugins', 'diaryx.sync', 'state'));
    const all = hostFunctions({
      folder: this.#folder, storage, http: this.#http, socket: this.#socket,
      context: { server_url: server, auth_token: token, device_name: this.#options.deviceName ?? hostname() },
      log: this.#log, emit: event => this.emit(event),
    });
    // A host may offer fewer functions than this one; the plugin must have been built for that.
    const functions = this.#options.onlyFunctions
      ? Object.fromEntries(this.#options.onlyFunctions.map(name => [name, all[name]]))
      : all;
    this.#plugin = await Plugin.load(plugin, functions, { sdk, onCall: () => this.#folder.forgetReads() });
    const manifest = await this.#plugin.callJson('manifest');
    if ((manifest.protocol_version ?? 1) !== SUPPORTED_PROTOCOL) {
      throw new Error(`The plugin speaks protocol ${manifest.protocol_version}; this host speaks ${SUPPORTED_PROTOCOL}.`);
    }
    // The folder is remembered before the guest looks at it: a change between the two looks is then reported, not lost.
    this.#watcher = new Watcher(this.#folder, (type, payload) => this.event(type, payload));
    await this.#plugin.call('init', JSON.stringify({ workspace_root: '.', server_url: server, auth_token: token, write_to_disk: true }));
    await this.#link();
    this.#watcher.start();
    this.#tick = setInterval(() => this.#readStatus(), TICK_MS);
    await this.#readStatus();
  }

  /** Tells the guest what somebody did to the folder. */
  event(event_type, payload) {
    return this.#send('on_event', JSON.stringify({ event_type, payload }));
  }

  /** Looks at the folder now. Returns true when every change there is has been given to the guest. */
  async lookAround() {
    const settled = this.#watcher.scan();
    while (this.#pending > 0) await new Promise(done => setTimeout(done, 1));
    return settled;
  }

  async status() {
    const answer = await this.#plugin.command('GetSyncStatus', null);
    return answer.data;
  }

  setOffline(offline) { this.#socket.setOffline(offline); }

  async stop() {
    clearInterval(this.#tick);
    clearTimeout(this.#settle);
    this.#watcher?.stop();
    if (this.#plugin) {
      await this.#plugin.call('shutdown', '{}').catch(error => this.#log('error', error.message));
      await this.#plugin.close();
    }
    this.#socket.close();
    this.#http.close();
  }

  async #link() {
    const config = await this.#plugin.callJson('get_config');
    const { workspaceId } = this.#options;
    if (workspaceId) {  // known, so that nothing has to be asked of the server
      if (config.workspace_id !== workspaceId) await this.command('LinkWorkspace', { remote_id: workspaceId, workspace_root: '.' });
      return;
    }
    const wanted = this.#options.workspace;
    if (config.workspace_id && !wanted) return;
    if (!wanted) throw new Error('This folder is not linked yet: say which workspace with --workspace NAME_OR_ID.');
    const remote = await this.#find(wanted);
    if (remote && remote.id === config.workspace_id) return;
    if (config.workspace_id) throw new Error(`This folder is linked to another workspace than ${wanted}; use another folder.`);
    const answer = await this.command('LinkWorkspace', { remote_id: remote?.id ?? null, name: remote?.name ?? wanted, workspace_root: '.' })
      .catch(async error => {
        // Another device may have made the workspace of this name in the meantime.
        const made = remote ? undefined : await this.#find(wanted);
        if (!made) throw error;
        return this.command('LinkWorkspace', { remote_id: made.id, name: made.name, workspace_root: '.' });
      });
    this.#log('info', `linked to workspace ${answer.remote_id}`);
  }

  async #find(wanted) {
    const { workspaces } = await this.command('ListRemoteWorkspaces');
    return workspaces.find(({ id }) => id === wanted) ?? workspaces.find(({ name }) => name === wanted);
  }

  /** Runs a command of the plugin; rejects with its error. */
  async command(name, params = {}) {
    const { success, data, error } = await this.#plugin.command(name, params);
    if (!success) throw new Error(`${name}: ${error}`);
    return data;
  }

  // Every call may change the status; one look shortly after the last of a burst is enough.
  async #send(name, input = '') {
    ++this.#pending;
    try {
      await this.#plugin.call(name, input);
    } catch (error) {
      this.#log('error', `${name}: ${error.message}`);
    } finally {
      --this.#pending;
    }
    this.#settle ??= setTimeout(() => { this.#settle = null; this.#readStatus(); }, SETTLE_MS);
  }

  async #readStatus() {
    try {
      const status = await this.status();
      const text = JSON.stringify(status);
      if (text === this.#lastStatus) return;
      this.#lastStatus = text;
      this.#onStatus(status);
    } catch (error) {
      this.#log('debug', `GetSyncStatus: ${error.message}`);
    }
  }
}
