// Stores documents as a server would have: `node fill.mjs y-websocket|hocuspocus PLACE COUNT`. Each says its number.
import * as Y from 'yjs'

const [kind, place, count] = process.argv.slice(2)

function state(number) {
  const doc = new Y.Doc()
  doc.clientID = 1000 + number
  doc.getText('body').insert(0, `note ${number}`)
  return Y.encodeStateAsUpdate(doc)
}

if (kind === 'hocuspocus') {
  const { default: Database } = await import('better-sqlite3')
  const { schema, upsertQuery } = await import('@hocuspocus/extension-sqlite')
  const db = new Database(place)
  db.exec(schema)
  const put = db.prepare(upsertQuery)
  db.transaction(() => {
    for (let i = 0; i < Number(count); i++) put.run({ name: `cold-${i}.md`, data: Buffer.from(state(i)) })
  })()
  db.close()
} else {
  process.env.YPERSISTENCE = place
  const { getPersistence } = await import('@y/websocket-server/utils')
  const { provider } = getPersistence()
  for (let i = 0; i < Number(count); i += 500) {
    const some = Array.from({ length: Math.min(500, Number(count) - i) }, (_, k) => i + k)
    await Promise.all(some.map((number) => provider.storeUpdate(`cold-${number}.md`, state(number))))
  }
  await provider.destroy()
}
