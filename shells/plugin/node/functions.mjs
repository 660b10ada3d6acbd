// The host functions that a Diaryx host of version 1.4 registers, on a real folder.
//
// 1. All are synchronous: they work in every engine, without stack switching and without a worker.
// 2. None throws: whatever goes wrong becomes the neutral value of that function, as the web host does.
import { Buffer } from 'node:buffer';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const UNSUPPORTED = {
  host_secret_get: '',
  host_secret_set: '',
  host_secret_delete: '',
  host_run_wasi_module: JSON.stringify({ exit_code: -1, stdout: '', stderr: 'unsupported' }),
  host_request_file: '',
  host_plugin_command: JSON.stringify({ success: false, error: 'This host has no other plugins.' }),
};

/**
 * @param {{folder, storage, http, socket, context: object, log(level, message), emit(event)}} host
 * @returns functions by name as the Extism SDK takes them
 */
export function hostFunctions({ folder, storage, http, socket, context, log, emit }) {
  const json = value => JSON.stringify(value);
  const answers = {
    host_log: ({ level, message }) => { log(level, message); return ''; },
    host_read_file: ({ path }) => UTF8.decode(folder.read(path)),
    host_read_binary: ({ path }) => json({ data: folder.read(path).toString('base64') }),
    host_list_files: ({ prefix }) => json([...folder.scan(prefix || '.').keys()]),
    host_file_exists: ({ path }) => String(folder.isFile(path)),
    host_write_file: ({ path, content }) => { folder.write(path, Buffer.from(content, 'utf8')); return ''; },
    host_write_binary: ({ path, content }) => { folder.write(path, Buffer.from(content, 'base64')); return ''; },
    host_delete_file: ({ path }) => { folder.delete(path); return ''; },
    host_emit_event: event => { emit(event); return ''; },
    host_storage_get: ({ key }) => {
      const bytes = storage.get(key);
      return bytes ? json({ data: bytes.toString('base64') }) : '';
    },
    host_storage_set: ({ key, data }) => { storage.set(key, Buffer.from(data, 'base64')); return ''; },
    host_get_timestamp: () => String(Date.now()),
    host_get_now: () => new Date().toISOString().replace(/\.\d+Z$/, '+00:00'),
    host_http_request: request => json(http.request(request)),
    host_get_runtime_context: () => json(context),
    host_ws_request: request => json(socket.request(request)),
  };
  const neutral = {
    host_list_files: '[]',
    host_file_exists: 'false',
    host_get_timestamp: '0',
    host_get_runtime_context: '{}',
    host_http_request: json({ status: 0, headers: {}, body: 'This host could not send the request.', body_base64: '' }),
    host_ws_request: json({ ok: false, error: 'failed' }),
  };

  const functions = {};
  for (const [name, answer] of Object.entries(answers)) {
    functions[name] = (call, offset) => {
      let text;
      try {
        text = answer(argument(call, offset));
      } catch (error) {
        log('debug', `${name}: ${error.message}`);
        text = neutral[name] ?? '';
      }
      return give(call, text);
    };
  }
  for (const [name, text] of Object.entries(UNSUPPORTED)) functions[name] = call => give(call, text);
  return functions;
}

function argument(call, offset) {
  if (offset === 0n) return {};  // handle 0 is "no input"; the SDK would read a stray byte for it
  const text = call.read(offset)?.text() ?? '';
  return text === '' ? {} : JSON.parse(text);
}

// SDK 1.0.3 refuses to store an empty string; handle 0 means the same in both.
function give(call, text) {
  return text === '' ? 0n : call.store(text);
}
