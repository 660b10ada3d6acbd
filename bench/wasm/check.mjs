// node bench/wasm/check.mjs FILE: the engine's module imports nothing and stays within 250,000 bytes (100,000 gzip, 80,000 brotli).
import { readFileSync } from 'node:fs'
import zlib from 'node:zlib'

const limits = { raw: 250_000, gzip: 100_000, brotli: 80_000 }

export function sizes(bytes) {
  const brotli = zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } })
  return { raw: bytes.length, gzip: zlib.gzipSync(bytes, { level: 9 }).length, brotli: brotli.length }
}

if (process.argv[2] && import.meta.url.endsWith('/check.mjs') && process.argv[1].endsWith('check.mjs')) {
  const file = process.argv[2]
  const bytes = readFileSync(file)
  const problems = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ module, name }) => `imports ${module} ${name}; it may import nothing`)
  const is = sizes(bytes)
  for (const [kind, limit] of Object.entries(limits)) if (is[kind] > limit) problems.push(`has ${is[kind]} bytes (${kind}); at most ${limit} are wanted`)
  for (const problem of problems) console.error(`check: ${file} ${problem}`)
  if (problems.length) process.exit(1)
  console.log(`${file}: ${is.raw} bytes, gzip ${is.gzip}, brotli ${is.brotli}, no imports`)
}
