// y-websocket's server as it comes, in memory; with YPERSISTENCE its LevelDB. SIGUSR2 collects garbage, for fair memory figures.
process.on('SIGUSR2', () => { globalThis.gc(); globalThis.gc() })
await import('./node_modules/@y/websocket-server/src/server.js') // its own program, which the package's exports leave out
