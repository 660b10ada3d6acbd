// Hocuspocus with its SQLite extension: `node hocuspocus.mjs PORT DATABASE`. SIGUSR2 collects garbage, for fair memory figures.
import { Server } from '@hocuspocus/server'
import { SQLite } from '@hocuspocus/extension-sqlite'

process.on('SIGUSR2', () => { globalThis.gc(); globalThis.gc() })
const [port, database] = process.argv.slice(2)
const server = new Server({ port: Number(port), address: '127.0.0.1', quiet: true, extensions: [new SQLite({ database })] })
await server.listen()
