// A host in memory: files, storage and socket are maps and lists, so that what is measured is the plugin and the SDK.
import { Plugin } from '../../shells/plugin/node/plugin.mjs'

export class MemoryHost {
  files = new Map()
  storage = new Map()
  sent = []

  /** more: host functions beside those that every host has. */
  async load(file, more = {}) {
    const answers = {
      host_log: () => '',
      host_read_file: ({ path }) => this.files.get(path)?.toString() ?? '',
      host_read_binary: ({ path }) => this.files.has(path) ? JSON.stringify({ data: this.files.get(path).toString('base64') }) : '',
      host_list_files: () => JSON.stringify([...this.files.keys()]),
      host_file_exists: ({ path }) => String(this.files.has(path)),
      host_write_file: ({ path, content }) => { this.files.set(path, Buffer.from(content)); return '' },
      host_write_binary: ({ path, content }) => { this.files.set(path, Buffer.from(content, 'base64')); return '' },
      host_delete_file: ({ path }) => { this.files.delete(path); return '' },
      host_emit_event: () => '',
      host_storage_get: ({ key }) => this.storage.has(key) ? `{"data":"${this.storage.get(key)}"}` : '',
      host_storage_set: ({ key, data }) => { this.storage.set(key, data); return '' },
      host_get_timestamp: () => String(Date.now()),
      host_http_request: () => JSON.stringify({ status: 0, headers: {}, body: 'no network here', body_base64: '' }),
      host_get_runtime_context: () => '{"server_url":"http://h","auth_token":"t"}',
      host_ws_request: (request) => {
        if (request.type === 'send_binary') this.sent.push(Buffer.from(request.data, 'base64'))
        return '{"ok":true}'
      },
    }
    const functions = Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, (call, offset) => {
      const text = offset === 0n ? '' : call.read(offset)?.text() ?? ''
      const output = answer(text === '' ? {} : JSON.parse(text))
      return output === '' ? 0n : call.store(output)
    }]))
    return Plugin.load(file, { ...functions, ...more })
  }
}
