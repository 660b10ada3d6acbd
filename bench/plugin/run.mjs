// ./dev bench plugin [--json FILE] [--quick]: what the plugin costs a host, in the Extism SDK under Node, and a plugin made of
// ywasm on the same frames in the same process. README.md explains the table.
import fs from 'node:fs'
import path from 'node:path'
import zlib from 'node:zlib'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../lib/options.mjs'
import { MemoryHost } from './host.mjs'
import { FakeServer, bodyFrame, makeWorkspace } from './workspace.mjs'
import { YwasmGuest, moduleBytes } from './ywasm_plugin.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const require = createRequire(path.join(root, 'bench/peers/node/peer.mjs'))
const Y = require('yjs')
const ywasm = require('ywasm')
const ywasmModule = moduleBytes()
const modules = ['diaryx_sync', 'diaryx_sync_readme12'].map((name) => path.join(root, `build/wasm/${name}.wasm`))
const { quick, json: jsonFile } = readOptions(process.argv.slice(2), { quick: false, json: null }, { quick: 'switch', json: 'file' }, 'bench/plugin/run.mjs')
const results = []
const say = (line) => process.stderr.write(`${line}\n`)
/** Processor time of this process in ms: what else the machine does counts less than on a clock. */
const used = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

for (const file of modules) {
  if (!fs.existsSync(file)) {
    say(`bench: there is no ${path.relative(root, file)}; make it with ./dev wasm`)
    process.exit(2)
  }
}

function sizes() {
  for (const file of modules) {
    const bytes = fs.readFileSync(file)
    const brotli = zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } })
    results.push({ work: 'size', module: path.basename(file), raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: brotli.length })
  }
}

async function firstManifest() {
  const times = []
  for (let i = 0; i < (quick ? 3 : 11); ++i) {
    const host = new MemoryHost()
    const begun = performance.now()
    const plugin = await host.load(modules[0])
    await plugin.call('manifest')
    times.push(performance.now() - begun)
    await plugin.close()
  }
  results.push({ work: 'instantiation to first manifest', median_ms: median(times), min_ms: Math.min(...times), n: times.length })
}

/** Updates of one text that keeps its length: each types `size` characters in front and deletes as many at the end. */
function updatesOf(size, count) {
  const doc = new Y.Doc()
  doc.clientID = 77
  const text = doc.getText('body')
  text.insert(0, 'x'.repeat(Math.max(2000, size)))
  const start = Y.encodeStateAsUpdate(doc)
  const updates = []
  doc.on('update', (update) => updates.push(update))
  for (let i = 0; i < count; ++i) {
    doc.transact(() => {
      text.insert(0, `${i} `.padEnd(size, 'abcdefgh '))
      text.delete(text.length - size, size)
    })
  }
  return { start, updates, final: text.toString() }
}

/** ywasm alone, without a plugin around it: the floor of its side. */
function ywasmDoc(start) {
  const doc = new ywasm.YDoc({ clientID: 5 })
  ywasm.applyUpdate(doc, start)
  return { apply: (update) => ywasm.applyUpdate(doc, update), text: () => doc.getText('body').toString(), free: () => doc.free() }
}

async function frames(size, count) {
  const { start, updates, final } = updatesOf(size, count)
  const perSecond = { plugin: [], 'plugin of ywasm': [], 'plugin, files written': [], 'plugin of ywasm, files written': [], 'ywasm, only applied': [] }
  const given = updates.map((update) => bodyFrame('ws', 'n.md', update))
  for (let turn = 0; turn < (quick ? 1 : 3); ++turn) {
    for (const [name, write] of [['plugin', false], ['plugin, files written', true]]) {
      const workspace = makeWorkspace(Y, [['n.md', start]])
      const host = new MemoryHost()
      const plugin = await host.load(modules[0])
      const server = new FakeServer(host, plugin, workspace)
      await server.join({ write_to_disk: write })
      const begun = used()
      for (const frame of given) await plugin.call('handle_binary_message', frame)
      perSecond[name].push(count / (used() - begun) * 1000)
      const { data } = await plugin.command('GetBodyContent', { doc_name: 'n.md' })
      if (data.content !== final) throw new Error(`the plugin's text differs after ${count} updates of ${size} bytes`)
      if (write && host.files.get('n.md')?.toString() !== final) throw new Error('the file differs from the text')
      await plugin.close()
    }
    for (const [name, write] of [['plugin of ywasm', false], ['plugin of ywasm, files written', true]]) {
      const guest = new YwasmGuest(ywasm, start, { path: 'n.md', write })
      const host = new MemoryHost()
      host.files.set('n.md', Buffer.from(guest.text()))
      const plugin = await host.load(ywasmModule, guest.functions)
      guest.started(await plugin.exports())
      const begun = used()
      for (const frame of given) await plugin.call('handle_binary_message', frame)
      perSecond[name].push(count / (used() - begun) * 1000)
      if (guest.text() !== final) throw new Error('the text of the plugin of ywasm differs')
      if (write && host.files.get('n.md').toString() !== final) throw new Error('its file differs')
      await plugin.close()
      guest.free()
    }
    const doc = ywasmDoc(start)
    const begun = used()
    for (const update of updates) doc.apply(update)
    perSecond['ywasm, only applied'].push(count / (used() - begun) * 1000)
    if (doc.text() !== final) throw new Error('the text of ywasm differs')
    doc.free()
  }
  for (const [name, values] of Object.entries(perSecond)) {
    results.push({ work: `updates of ${size} B`, by: name, calls_per_s: Math.max(...values), n: count })
  }
}

async function join(files) {
  const bodies = []
  for (let i = 0; i < files; ++i) {
    const doc = new Y.Doc()
    doc.clientID = 1000 + i
    doc.getText('body').insert(0, `# Note ${i}\n\n${'All work and no play makes a long note. '.repeat(25)}\n`)
    bodies.push([`folder-${i % 50}/note-${i}.md`, Y.encodeStateAsUpdate(doc)])
  }
  const workspace = makeWorkspace(Y, bodies)
  const host = new MemoryHost()
  const plugin = await host.load(modules[0])
  const server = new FakeServer(host, plugin, workspace)
  const begun = performance.now()
  const usedBefore = used()
  await server.join({ write_to_disk: true })
  const ms = performance.now() - begun
  const cpu_ms = used() - usedBefore
  if (host.files.size !== files) throw new Error(`${host.files.size} of ${files} files were written`)
  results.push({ work: `join ${files} files`, ms, cpu_ms, module_bytes: await plugin.memoryBytes(), rss_bytes: process.memoryUsage().rss })
  await plugin.close()
}

const amount = (bytes) => bytes.toLocaleString('en')
function print() {
  console.log('| what | | |\n|---|---|---|')
  for (const row of results) {
    if (row.work === 'size') console.log(`| ${row.module} | raw ${amount(row.raw)}, gzip ${amount(row.gzip)} | brotli ${amount(row.brotli)} |`)
    else if (row.calls_per_s) console.log(`| ${row.work} | ${row.by} | ${amount(Math.round(row.calls_per_s))} per second of processor time |`)
    else if (row.ms) console.log(`| ${row.work} | ${(row.cpu_ms / 1000).toFixed(2)} s of processor time, ${(row.ms / 1000).toFixed(2)} s by the clock | module ${amount(row.module_bytes)} bytes, process ${amount(row.rss_bytes)} |`)
    else console.log(`| ${row.work} | median ${row.median_ms.toFixed(1)} ms | minimum ${row.min_ms.toFixed(1)} ms |`)
  }
}

sizes()
say('instantiation')
await firstManifest()
for (const [size, count] of quick ? [[64, 500], [1000, 200], [100_000, 10]] : [[64, 2000], [1000, 1000], [100_000, 40]]) {
  say(`updates of ${size} bytes`)
  await frames(size, count)
}
for (const files of quick ? [1000] : [1000, 10_000]) {
  say(`joining ${files} files`)
  await join(files)
}
print()
if (jsonFile) fs.writeFileSync(jsonFile, `${JSON.stringify(results, null, 1)}\n`)
process.exit(0)
