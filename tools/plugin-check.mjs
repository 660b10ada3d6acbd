#!/usr/bin/env node
// node tools/plugin-check.mjs [--readme12] FILE: says whether Diaryx hosts can load this plugin, and why not.
//
// A host resolves all imports of a module or refuses it, so one import too many makes a plugin that nobody can load.
import { readFileSync } from 'node:fs';

const KERNEL = new Set(('input_length input_load_u8 input_load_u64 alloc free length length_unsafe load_u8 load_u64 store_u8 '
  + 'store_u64 output_set error_set input_offset config_get var_get var_set log_info log_warn log_error log_debug').split(' '));

// What hosts up to 1.4.0 register and the plugin may rely on: the twelve of the README and three more.
const TWELVE = ('host_log host_read_file host_list_files host_file_exists host_write_file host_delete_file host_write_binary '
  + 'host_emit_event host_storage_get host_storage_set host_get_timestamp host_ws_request').split(' ');
const MORE = ['host_read_binary', 'host_http_request', 'host_get_runtime_context'];

const EXPORTS = ('manifest init shutdown handle_command on_event get_config set_config handle_binary_message '
  + 'handle_text_message on_connected on_disconnected queue_local_update on_snapshot_imported sync_body_files '
  + 'execute_typed_command get_component_html _initialize').split(' ');

function problemOfImport({ module, name, kind }) {
  const what = `${module} ${name}`;
  if (name.startsWith('__wbindgen')) return `imports ${what}: this is an artifact of wasm-bindgen, a stale or foreign file; build it anew`;
  if (module.startsWith('wasi')) return `imports ${what}: hosts without WASI refuse it; nosys.cpp must answer this call`;
  if (kind !== 'function') return `imports ${what}, a ${kind}: hosts offer only functions`;
  if (module === 'extism:host/env') return KERNEL.has(name) ? null : `imports ${what}, which the Extism kernel does not have`;
  if (module === 'extism:host/user') {
    if (TWELVE.includes(name) || (MORE.includes(name) && !onlyTwelve)) return null;
    return `imports ${what}, ${MORE.includes(name) ? 'which is not one of the twelve host functions of the README' : 'which shipped hosts do not register'}`;
  }
  return `imports ${what}: no host offers that module`;
}

const onlyTwelve = process.argv.includes('--readme12');
const [file] = process.argv.slice(2).filter(argument => argument !== '--readme12');
if (!file) {
  process.stderr.write('plugin-check: say which file: node tools/plugin-check.mjs build/wasm/diaryx_sync.wasm\n');
  process.exit(2);
}

let wasm;
try {
  wasm = new WebAssembly.Module(readFileSync(file));
} catch (error) {
  process.stderr.write(`plugin-check: ${file} is no WebAssembly module: ${error.message}\n`);
  process.exit(1);
}

const exported = new Map(WebAssembly.Module.exports(wasm).map(({ name, kind }) => [name, kind]));
const problems = WebAssembly.Module.imports(wasm).map(problemOfImport).filter(Boolean);
for (const name of EXPORTS) if (exported.get(name) !== 'function') problems.push(`does not export the function ${name}`);
if (exported.get('memory') !== 'memory') problems.push('does not export its memory');
if (exported.has('_start')) problems.push('exports _start, so hosts would take it for a command and not for a plugin');

for (const problem of problems) process.stderr.write(`plugin-check: ${file} ${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
