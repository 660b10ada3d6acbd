// The engines that run under Node, behind one interface, so that each does the same work.
//
//   create({ client, onUpdate }) -> document; onUpdate gets the bytes of every update event
//   document: ins del text, transact, apply applyV2, encode encodeV2, stateVector, diff,
//             arrayInsert arrayValues, mapSet mapGet mapSize, mapSetNested nestedSet nestedGet, free
//   merge(updates), diffUpdate(update, vector)   where the engine has them
//   wasmBytes()   size of the engine's memory; 0 for an engine in JavaScript
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { open as openDiaryx } from './diaryx.mjs'

const require = createRequire(import.meta.url)
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
export const diaryxModule = path.join(root, 'build/wasm/diaryx_crdt.wasm')

function yjs() {
  const Y = require('yjs')
  return {
    name: 'yjs',
    version: require('yjs/package.json').version,
    build: 'node',
    wasmBytes: () => 0,
    merge: (updates) => Y.mergeUpdates(updates),
    diffUpdate: (update, vector) => Y.diffUpdate(update, vector),
    create({ client, onUpdate }) {
      const doc = new Y.Doc()
      doc.clientID = client
      if (onUpdate) doc.on('update', onUpdate)
      const text = doc.getText('t')
      const map = () => doc.getMap('m')
      const array = () => doc.getArray('a')
      return {
        ins: (position, inserted) => text.insert(position, inserted),
        del: (position, length) => text.delete(position, length),
        text: () => text.toString(),
        transact: (edits) => doc.transact(edits),
        apply: (update) => Y.applyUpdate(doc, update),
        applyV2: (update) => Y.applyUpdateV2(doc, update),
        encode: () => Y.encodeStateAsUpdate(doc),
        encodeV2: () => Y.encodeStateAsUpdateV2(doc),
        stateVector: () => Y.encodeStateVector(doc),
        diff: (vector) => Y.encodeStateAsUpdate(doc, vector),
        arrayInsert: (index, values) => array().insert(index, values),
        arrayValues: () => array().toArray(),
        mapSet: (key, value) => map().set(key, value),
        mapGet: (key) => map().get(key),
        mapSize: () => map().size,
        mapSetNested: (key, entries) => map().set(key, new Y.Map(entries)),
        nestedSet: (key, field, value) => map().get(key).set(field, value),
        nestedGet: (key, field) => map().get(key).get(field),
        free: () => doc.destroy(),
      }
    },
  }
}

function ywasm() {
  // ywasm keeps its memory to itself; it is caught while the module is instantiated.
  let memory
  const { Instance } = WebAssembly
  WebAssembly.Instance = function (module, imports) {
    const instance = new Instance(module, imports)
    memory = instance.exports.memory
    return instance
  }
  const Y = require('ywasm')
  WebAssembly.Instance = Instance
  return {
    name: 'ywasm',
    version: require('ywasm/package.json').version,
    build: 'wasm',
    wasmBytes: () => memory.buffer.byteLength,
    create({ client, onUpdate }) {
      const doc = new Y.YDoc({ clientID: client })
      if (onUpdate) doc.onUpdate((update) => onUpdate(update))
      const text = doc.getText('t')
      const array = doc.getArray('a')
      const map = doc.getMap('m')
      let open  // the transaction, inside transact
      return {
        ins: (position, inserted) => text.insert(position, inserted, undefined, open),
        del: (position, length) => text.delete(position, length, open),
        text: () => text.toString(),
        transact(edits) {
          open = doc.beginTransaction()
          try { edits() } finally { open.free(); open = undefined }
        },
        apply: (update) => Y.applyUpdate(doc, update),
        applyV2: (update) => Y.applyUpdateV2(doc, update),
        encode: () => Y.encodeStateAsUpdate(doc),
        encodeV2: () => Y.encodeStateAsUpdateV2(doc),
        stateVector: () => Y.encodeStateVector(doc),
        diff: (vector) => Y.encodeStateAsUpdate(doc, vector),
        arrayInsert: (index, values) => array.insert(index, values, open),
        arrayValues: () => array.toJson(),
        mapSet: (key, value) => map.set(key, value, open),
        mapGet: (key) => map.get(key),
        mapSize: () => map.length(),
        mapSetNested: (key, entries) => map.set(key, new Y.YMap(Object.fromEntries(entries)), open),
        nestedSet: (key, field, value) => map.get(key).set(field, value, open),
        nestedGet: (key, field) => map.get(key).get(field),
        free: () => doc.free(),
      }
    },
  }
}

/// Names to functions that load the engine, in the order of the table.
export const engines = {
  diaryx: () => openDiaryx(fs.readFileSync(process.env.DIARYX_CRDT_WASM ?? diaryxModule)),
  yjs,
  ywasm,
}
