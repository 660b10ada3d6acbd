// node run.mjs PROGRAM.wasm [ARGUMENT...]: a test program under Node's WASI. It sees the conformance vectors and nothing else.
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

// WASI in Node says at its import that it is new; a test that passes says nothing.
process.removeAllListeners('warning')
const { WASI } = await import('node:wasi')

const [program, ...args] = process.argv.slice(2)
if (!fs.existsSync(program)) {
  console.error(`${program} is not there; cmake --preset wasm-test && cmake --build --preset wasm-test makes it`)
  process.exit(1)
}
const vectors = fileURLToPath(new URL('../vectors', import.meta.url))
const wasi = new WASI({ version: 'preview1', args: [program, ...args], env: {}, preopens: { [vectors]: vectors }, returnOnExit: true })
const module = await WebAssembly.compile(fs.readFileSync(program))
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()))
