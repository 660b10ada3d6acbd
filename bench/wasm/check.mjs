// node bench/wasm/check.mjs FILE: prints the sizes of the engine's module; fails if it imports anything. Sizes beyond the goals (250,000
// bytes, 100,000 gzip, 80,000 brotli) are said aloud here and judged by ./dev bench engine.
import { readFileSync } from 'node:fs'
import zlib from 'node:zlib'

const goals = { raw: 250_000, gzip: 100_000, brotli: 80_000 }
const [file] = process.argv.slice(2)
const bytes = readFileSync(file)
const sizes = {
  raw: bytes.length,
  gzip: zlib.gzipSync(bytes, { level: 9 }).length,
  brotli: zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
}
console.log(`${file}: ${Object.entries(sizes).map(([kind, size]) => `${kind} ${size}${size > goals[kind] ? ` (beyond ${goals[kind]})` : ''}`).join(', ')}`)
const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes))
for (const { module, name } of imports) console.error(`check: ${file} imports ${module} ${name}; it may import nothing`)
if (imports.length) process.exit(1)
