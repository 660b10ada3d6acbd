// What a plugin made of ywasm costs for the same work: an Extism module that copies bytes between the SDK and its memory as any guest
// must, and hands each frame to ywasm, which stands beside it in the same process. Everything else (finding the update in the frame,
// the events, the texts compared with the file) is done in JavaScript here, which costs no more than a guest's own code.
import binaryen from '../../tools/wasm/node_modules/binaryen/index.js'

const AT = 1024  // where bytes are put in the module's memory

const MODULE = `(module
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input_load_u64 (param i64) (result i64)))
  (import "extism:host/env" "input_load_u8" (func $input_load_u8 (param i64) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "free" (func $free (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "load_u64" (func $load_u64 (param i64) (result i64)))
  (import "extism:host/env" "load_u8" (func $load_u8 (param i64) (result i32)))
  (import "extism:host/env" "store_u64" (func $store_u64 (param i64 i64)))
  (import "extism:host/env" "store_u8" (func $store_u8 (param i64 i32)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/user" "host_emit_event" (func $emit (param i64) (result i64)))
  (import "extism:host/user" "host_storage_set" (func $store (param i64) (result i64)))
  (import "extism:host/user" "host_write_file" (func $write (param i64) (result i64)))
  (import "extism:host/user" "host_read_binary" (func $read (param i64) (result i64)))
  (import "extism:host/user" "host_get_timestamp" (func $time (param i64) (result i64)))
  (import "extism:host/user" "ywasm_frame" (func $frame (param i64) (result i64)))
  (memory (export "memory") 64)
  (func $out (param $size i32) (result i64) (local $block i64) (local $at i32)
    (local.set $block (call $alloc (i64.extend_i32_u (local.get $size))))
    (block $words_end (loop $words
      (br_if $words_end (i32.lt_u (i32.sub (local.get $size) (local.get $at)) (i32.const 8)))
      (call $store_u64 (i64.add (local.get $block) (i64.extend_i32_u (local.get $at))) (i64.load offset=${AT} align=1 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $words)))
    (block $bytes_end (loop $bytes
      (br_if $bytes_end (i32.eq (local.get $size) (local.get $at)))
      (call $store_u8 (i64.add (local.get $block) (i64.extend_i32_u (local.get $at))) (i32.load8_u offset=${AT} (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $bytes)))
    (local.get $block))
  (func $in (param $block i64) (result i32) (local $size i32) (local $at i32)
    (if (i64.eqz (local.get $block)) (then (return (i32.const 0))))
    (local.set $size (i32.wrap_i64 (call $length (local.get $block))))
    (block $words_end (loop $words
      (br_if $words_end (i32.lt_u (i32.sub (local.get $size) (local.get $at)) (i32.const 8)))
      (i64.store offset=${AT} align=1 (local.get $at) (call $load_u64 (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $words)))
    (block $bytes_end (loop $bytes
      (br_if $bytes_end (i32.eq (local.get $size) (local.get $at)))
      (i32.store8 offset=${AT} (local.get $at) (call $load_u8 (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $bytes)))
    (call $free (local.get $block))
    (local.get $size))
  ${['emit', 'store', 'write', 'read'].map((name) => `(func (export "${name}") (param $size i32) (result i32) (local $block i64) (local $answer i64)
    (local.set $block (call $out (local.get $size)))
    (local.set $answer (call $${name} (local.get $block)))
    (call $free (local.get $block))
    (call $in (local.get $answer)))`).join('\n  ')}
  (func (export "handle_binary_message") (result i32) (local $size i32) (local $at i32)
    (drop (call $in (call $time (i64.const 0))))
    (local.set $size (i32.wrap_i64 (call $input_length)))
    (block $words_end (loop $words
      (br_if $words_end (i32.lt_u (i32.sub (local.get $size) (local.get $at)) (i32.const 8)))
      (i64.store offset=${AT} align=1 (local.get $at) (call $input_load_u64 (i64.extend_i32_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $words)))
    (block $bytes_end (loop $bytes
      (br_if $bytes_end (i32.eq (local.get $size) (local.get $at)))
      (i32.store8 offset=${AT} (local.get $at) (call $input_load_u8 (i64.extend_i32_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $bytes)))
    (local.set $at (i32.wrap_i64 (call $frame (i64.extend_i32_u (local.get $size)))))
    (call $output_set (call $out (local.get $at)) (i64.extend_i32_u (local.get $at)))
    (i32.const 0)))`

export function moduleBytes() {
  const module = binaryen.parseText(MODULE)
  module.optimize()
  return Buffer.from(module.emitBinary())
}

// As ours: what others did is stored before a file is written, and otherwise waits until it is so much or so old.
const MANY_PENDING_BYTES = 64 << 10
const LONGEST_WAIT_MS = 2000

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The work of one frame. `write`: what is known is stored, and the file is looked at, replaced and read back. */
export class YwasmGuest {
  #exports = null

  constructor({ YDoc, applyUpdate }, start, { path, write }) {
    this.applyUpdate = applyUpdate
    this.doc = new YDoc({ clientID: 5 })
    applyUpdate(this.doc, start)
    this.body = this.doc.getText('body')
    Object.assign(this, { path, write, known: this.body.toString(), kept: 0, pending: [], pendingBytes: 0, pendingSince: 0 })
  }

  /** What the host gives the module beside its own functions. */
  get functions() { return { ywasm_frame: (_, size) => BigInt(this.#frame(Number(size))) } }
  started(exports) { this.#exports = exports }
  text() { return this.body.toString() }
  free() { this.doc.free() }

  #call(name, text) {
    const { written } = encoder.encodeInto(text, new Uint8Array(this.#exports.memory.buffer, AT))
    const size = this.#exports[name](written)
    return size === 0 ? '' : decoder.decode(new Uint8Array(this.#exports.memory.buffer, AT, size))
  }

  #keep(update) {
    const now = Date.now()
    if (this.pending.length === 0) this.pendingSince = now
    this.pending.push(update)
    this.pendingBytes += update.length
    if (!this.write && this.pendingBytes < MANY_PENDING_BYTES && now < this.pendingSince + LONGEST_WAIT_MS) return
    this.#call('store', `{"key":"updates.${this.kept++}","data":"${Buffer.concat(this.pending).toString('base64')}"}`)
    Object.assign(this, { pending: [], pendingBytes: 0 })
  }

  #frame(size) {
    const frame = new Uint8Array(this.#exports.memory.buffer, AT, size)
    let at = 1 + frame[0] + 2  // the document's id, "sync", "update"
    let length = 0
    for (let shift = 0; ; shift += 7) {
      length |= (frame[at] & 127) << shift
      if (frame[at++] < 128) break
    }
    const update = frame.slice(at, at + length)
    this.applyUpdate(this.doc, update)
    const body = this.body.toString()
    this.#keep(update)
    if (this.write) {
      const name = JSON.stringify({ path: this.path })
      const bytes = () => Buffer.from(JSON.parse(this.#call('read', name) || '{"data":""}').data, 'base64').toString()
      if (bytes() !== this.known) throw new Error('the file is another')
      this.#call('write', JSON.stringify({ path: this.path, content: body }))
      if (bytes() !== body) throw new Error('the file was not written')
    }
    this.known = body
    this.#call('emit', JSON.stringify({ type: 'ContentsChanged', path: this.path, body }))
    // The envelope: one action, an event.
    const memory = new Uint8Array(this.#exports.memory.buffer, AT)
    const { written } = encoder.encodeInto(JSON.stringify({ type: 'bodyChanged', file_path: this.path, body }), memory.subarray(7))
    memory.set([1, 0, 2, written & 255, (written >> 8) & 255, (written >> 16) & 255, 0])
    return 7 + written
  }
}
