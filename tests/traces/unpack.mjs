// node unpack.mjs FROM.json.gz TO.json: the trace as the tests read it, which have no gzip library.
import fs from 'node:fs'
import zlib from 'node:zlib'

const [from, to] = process.argv.slice(2)
fs.writeFileSync(to, zlib.gunzipSync(fs.readFileSync(from)))
