// What real Yjs makes of a trace: `node tests/traces/yjs_sums.mjs bench/data/*.gz` prints the lines for trace_test.cpp.
// Needs the packages of tests/interop.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { createRequire } from 'node:module'

const Y = createRequire(new URL('../interop/package.json', import.meta.url))('yjs')
const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest('hex')

for (const file of process.argv.slice(2).filter(file => !path.basename(file).startsWith('concurrent-'))) {
  const trace = JSON.parse(zlib.gunzipSync(fs.readFileSync(file)))
  const doc = new Y.Doc()
  doc.clientID = 1
  let emitted = 0
  doc.on('update', update => { emitted += update.length })
  const text = doc.getText('t')
  if (trace.startContent) text.insert(0, trace.startContent)
  for (const { patches } of trace.txns) {
    for (const [position, deleted, inserted] of patches) {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted) text.insert(position, inserted)
    }
  }
  const v1 = Y.encodeStateAsUpdate(doc)
  const v2 = Y.encodeStateAsUpdateV2(doc)
  if (text.toString() !== trace.endContent) throw new Error(file + ': the text is not the one that the trace names')
  console.log(`TraceCase{"${path.basename(file).split('.')[0]}", ${v1.length}, "${sha256(v1)}", ${v2.length}, "${sha256(v2)}", ${emitted}},`)
}
