// The JavaScript side of bench/wasm/abi.cpp: strings and bytes through one shared buffer, no object per edit.
const kinds = { text: 0, map: 1, array: 2 }
const slots = { t: 0, m: 1, a: 2, nested: 3 }

export function open(bytes) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {})
  const x = instance.exports
  x._initialize()
  const utf8 = new TextEncoder()
  const decoder = new TextDecoder()
  const { memory } = x

  // Views die when the memory grows (their length becomes 0, which is cheaper to ask than for the buffer itself); the buffer moves
  // when it grows.
  let view = new Uint8Array(memory.buffer)
  let start = 0
  let room = 0
  const reserve = (size) => {
    if (size > room) {
      // Small inputs come often and grow; a large one comes once.
      room = size > 1_000_000 ? size : Math.max(65_536, 2 * size)
      start = x.dx_buffer(room)
    }
    if (view.length === 0) view = new Uint8Array(memory.buffer)
  }
  const write = (data, at = 0) => {
    reserve(at + data.length)
    view.set(data, start + at)
    return data.length
  }
  // Most insertions are a letter or a word of ASCII, which a loop copies faster than an encoder is called.
  const writeText = (text, at = 0) => {
    const { length } = text
    reserve(at + 3 * length)
    if (length < 32) {
      let i = 0
      for (; i < length; i++) {
        const unit = text.charCodeAt(i)
        if (unit > 127) break
        view[start + at + i] = unit
      }
      if (i === length) return length
    }
    return utf8.encodeInto(text, view.subarray(start + at)).written
  }
  const output = (size) => {
    if (size < 0) throw new Error('the engine refused')
    if (view.length === 0) view = new Uint8Array(memory.buffer)
    const from = x.dx_output()
    return view.slice(from, from + size)
  }

  // lib0 values: what the works need of them.
  const float = new DataView(new ArrayBuffer(8))
  const putVarUint = (value, at) => {
    while (value > 127) { view[start + at++] = 128 | (value % 128); value = Math.floor(value / 128) }
    view[start + at++] = value
    return at
  }
  const putString = (text, at) => {
    reserve(at + 5 + 3 * text.length)
    const size = writeText(text, at + 5)
    const after = putVarUint(size, at)
    view.copyWithin(start + after, start + at + 5, start + at + 5 + size)
    return after + size
  }
  const putValue = (value, at) => {
    reserve(at + 16)
    if (typeof value === 'string') { view[start + at] = 119; return putString(value, at + 1) }
    if (typeof value === 'boolean') { view[start + at] = value ? 120 : 121; return at + 1 }
    if (Number.isInteger(value) && Math.abs(value) <= 2_147_483_647) {
      view[start + at++] = 125
      let rest = Math.abs(value)
      view[start + at++] = (rest > 63 ? 128 : 0) | (value < 0 ? 64 : 0) | (rest & 63)
      rest = Math.floor(rest / 64)
      while (rest > 0) { view[start + at++] = (rest > 127 ? 128 : 0) | (rest & 127); rest = Math.floor(rest / 128) }
      return at
    }
    if (typeof value === 'number') {
      float.setFloat32(0, value)
      const short = float.getFloat32(0) === value
      if (!short) float.setFloat64(0, value)
      view[start + at] = short ? 124 : 123
      for (let i = 0; i < (short ? 4 : 8); i++) view[start + at + 1 + i] = float.getUint8(i)
      return at + (short ? 5 : 9)
    }
    const entries = Object.entries(value)
    view[start + at] = 118
    at = putVarUint(entries.length, at + 1)
    for (const [key, member] of entries) at = putValue(member, putString(key, at))
    return at
  }
  const readValue = (data) => {
    const kind = data[0]
    const at = new DataView(data.buffer, data.byteOffset)
    if (kind === 123) return at.getFloat64(1)
    if (kind === 124) return at.getFloat32(1)
    if (kind === 119) return decoder.decode(data.subarray(data.length < 130 ? 2 : 3))
    if (kind === 120 || kind === 121) return kind === 120
    return undefined
  }

  return {
    name: 'diaryx',
    version: '',
    build: 'wasm',
    wasmBytes: () => memory.buffer.byteLength,
    merge(updates) {
      const total = updates.reduce((sum, update) => sum + update.length, 0)
      reserve(4 * updates.length + total)
      const sizes = new DataView(memory.buffer, start)
      let at = 4 * updates.length
      updates.forEach((update, i) => {
        sizes.setUint32(4 * i, update.length, true)
        view.set(update, start + at)
        at += update.length
      })
      return output(x.dx_merge_v1(updates.length))
    },
    diffUpdate(update, vector) {
      write(update)
      write(vector, update.length)
      return output(x.dx_diff_v1(update.length, vector.length))
    },
    create({ client, onUpdate }) {
      const doc = x.dx_create(client, onUpdate ? 1 : 0)
      for (const [kind, name] of [['text', 't'], ['map', 'm'], ['array', 'a']]) x.dx_root(doc, kinds[kind], writeText(name), slots[name])
      const done = onUpdate
        ? (size) => { if (size !== 0) onUpdate(output(size)) }
        : (size) => { if (size < 0) throw new Error('the engine refused') }
      const nested = (key) => {
        if (x.dx_open_map(doc, slots.m, writeText(key), slots.nested) < 0) throw new Error(`there is no map at ${key}`)
        return slots.nested
      }
      return {
        ins: (position, inserted) => done(x.dx_text_insert(doc, slots.t, position, writeText(inserted))),
        del: (position, length) => done(x.dx_text_erase(doc, slots.t, position, length)),
        /// All edits in one call: `packed` is what `pack` made of the patches.
        batch: (packed, count) => { write(packed); done(x.dx_text_batch(doc, slots.t, count)) },
        text: () => decoder.decode(output(x.dx_text_read(doc, slots.t))),
        transact(edits) { x.dx_begin(doc); try { edits() } finally { done(x.dx_commit(doc)) } },
        apply(update) {
          const size = write(update)
          if (room > size || size < 1_000_000) return done(x.dx_apply_v1(doc, size))
          room = 0  // the module gives back a buffer that was made for one large update
          done(x.dx_take_v1(doc, size))
        },
        applyV2: (update) => done(x.dx_apply_v2(doc, write(update))),
        encode: () => output(x.dx_encode_v1(doc, 0)),
        encodeV2: () => output(x.dx_encode_v2(doc, 0)),
        stateVector: () => output(x.dx_state_vector(doc)),
        diff: (vector) => output(x.dx_encode_v1(doc, write(vector))),
        arrayInsert(index, values) {
          let at = 0
          for (const value of values) at = putValue(value, at)
          done(x.dx_array_insert(doc, slots.a, index, at))
        },
        arrayLength: () => x.dx_array_size(doc, slots.a),
        mapSet(key, value) {
          const size = writeText(key)
          done(x.dx_map_set(doc, slots.m, size, putValue(value, size)))
        },
        mapGet: (key) => readValue(output(x.dx_map_get(doc, slots.m, writeText(key)))),
        mapSize: () => x.dx_map_size(doc, slots.m),
        mapSetNested(key, entries) {
          const size = writeText(key)
          let at = size
          for (const [field, value] of entries) at = putValue(value, putString(field, at))
          done(x.dx_map_set_map(doc, slots.m, size, at))
        },
        nestedSet(key, field, value) {
          const slot = nested(key)
          const size = writeText(field)
          done(x.dx_map_set(doc, slot, size, putValue(value, size)))
        },
        nestedGet: (key, field) => readValue(output(x.dx_map_get(doc, nested(key), writeText(field)))),
        free: () => x.dx_free(doc),
      }
    },
  }
}

/// The input of a batch call: heads of twelve bytes, then all inserted bytes.
export function pack(patches) {
  const inserted = patches.map((patch) => Buffer.from(patch.inserted))
  const heads = Buffer.alloc(12 * patches.length)
  patches.forEach(({ position, deleted }, i) => {
    heads.writeUInt32LE(position, 12 * i)
    heads.writeUInt32LE(deleted, 12 * i + 4)
    heads.writeUInt32LE(inserted[i].length, 12 * i + 8)
  })
  return Buffer.concat([heads, ...inserted])
}
