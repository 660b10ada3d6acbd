// node --expose-gc peer.mjs ENGINE[,ENGINE] GROUP INPUT [--works a,b] [--reps N] [--data FOLDER] [--budget SECONDS]
//
// Runs the works of a group; one JSON line per work and engine, as bench_engine prints them. Several engines take turns, repetition by
// repetition, in this one process. A work that has used its budget is not repeated again. `diaryx=FILE` is our module from FILE, so that
// builds of it can be compared with each other.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from './diaryx.mjs'
import { engines } from './engines.mjs'
import { groups } from './works.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..')
const options = { data: path.join(root, 'build/bench/data'), reps: '7', works: '', budget: '600' }
const words = []
for (let i = 2; i < process.argv.length; i++) {
  const word = process.argv[i]
  if (word.startsWith('--')) options[word.slice(2)] = process.argv[++i]
  else words.push(word)
}
const [names, group, input] = words
const wanted = options.works ? new Set(options.works.split(',')) : null
const used = names.split(',').map((name) => {
  const [engine, file] = name.split('=')
  return file ? { ...open(fs.readFileSync(file)), name: 'diaryx', label: name } : engines[engine]()
})

for (const work of groups[group](options.data, input)) {
  if (wanted && !work.several && !wanted.has(work.work)) continue
  const lines = new Map()
  const spent = new Map()
  for (let rep = 0; rep < Number(options.reps); rep++) {
    for (const engine of used) {
      if ((spent.get(engine) ?? 0) > Number(options.budget) * 1000) continue
      const start = performance.now()
      const result = work.run(engine)
      spent.set(engine, (spent.get(engine) ?? 0) + performance.now() - start)
      if (!result) continue
      for (const { work: name = work.work, ms, edits = 0, bytes = 0, memory = 0, digest = '' } of work.several ? result : [result]) {
        if (wanted && !wanted.has(name)) continue
        const key = `${engine.label ?? engine.name} ${name}`
        const line = lines.get(key) ?? { work: name, trace: work.trace, engine: engine.label ?? engine.name, build: engine.build, ms: [], edits, bytes, memory_bytes: memory, digest }
        // The library behind ywasm keeps map keys in an order that changes from run to run.
        if (line.digest !== digest && engine.name !== 'ywasm') throw new Error(`${key}: one repetition gave other bytes than the one before`)
        // Memory that a wasm module gave up is reused, so the first repetition says what is needed.
        line.memory_bytes = Math.max(line.memory_bytes, memory)
        line.ms.push(...[ms].flat())
        lines.set(key, line)
      }
    }
  }
  for (const line of lines.values()) console.log(JSON.stringify(line))
}
