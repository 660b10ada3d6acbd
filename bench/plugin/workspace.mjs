// A workspace on a server that answers at once: what is measured is how fast the plugin takes it in.
const encode = (text) => Buffer.from(text)

function varUint(number) {
  const bytes = []
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128)
  return Buffer.from([...bytes, number])
}

const STEP1 = 0
const STEP2 = 1
const UPDATE = 2
const NOTHING = Buffer.from([0, 0])
const NO_CLIENT = Buffer.from([0])

const message = (type, payload) => Buffer.concat([Buffer.from([0, type]), varUint(payload.length), payload])

function frame(docId, ...messages) {
  const id = encode(docId)
  return Buffer.concat([Buffer.from([id.length]), id, ...messages])
}

export const bodyFrame = (workspace, name, update) => frame(`body:${workspace}/${name}`, message(UPDATE, update))

/** bodies: [path, state of its document]. Returns what the server answers when it is asked for a document, by its id. */
export function makeWorkspace(Y, bodies) {
  const doc = new Y.Doc()
  doc.clientID = 9
  doc.transact(() => {
    for (const [path] of bodies) {
      doc.getMap('files').set(path, JSON.stringify({
        filename: path.split('/').at(-1), title: null, part_of: null, contents: null, attachments: [], deleted: false, audience: null,
        description: null, extra: {}, modified_at: 1,
      }))
    }
  })
  const answer = (id, state) => [id, frame(id, message(STEP2, state), message(STEP1, Y.encodeStateVectorFromUpdate(state)))]
  return new Map([answer('workspace:ws', Y.encodeStateAsUpdate(doc)), ...bodies.map(([path, state]) => answer(`body:ws/${path}`, state))])
}

export class FakeServer {
  constructor(host, plugin, answers) {
    Object.assign(this, { host, plugin, answers })
  }

  /** Links the plugin, answers everything it asks, and returns when it has all files. */
  async join({ write_to_disk }) {
    const { host, plugin, answers } = this
    await plugin.call('set_config', JSON.stringify({ server_url: 'http://h', auth_token: 't', workspace_id: 'ws' }))
    await plugin.call('init', JSON.stringify({ workspace_root: '.', workspace_id: 'ws', write_to_disk }))
    await plugin.call('on_connected', JSON.stringify({ workspace_id: 'ws', write_to_disk }))
    await plugin.call('handle_text_message', '{"type":"server_hello","name":"bench","version":"1","receipts":true}')
    await plugin.call('handle_text_message', '{"type":"file_manifest","files":[],"client_is_new":false}')
    for (let quiet = 0; quiet < 3;) {
      const asked = host.sent.splice(0)
      quiet = asked.length === 0 ? quiet + 1 : 0
      if (asked.length === 0) await plugin.command('GetSyncStatus', null)
      for (const bytes of asked) {
        const id = bytes.subarray(1, 1 + bytes[0]).toString()
        const asked = bytes.subarray(1 + bytes[0])
        if (asked[0] !== 0 || asked[1] !== STEP1) continue
        await plugin.call('handle_binary_message', answers.get(id) ?? frame(id, message(STEP2, NOTHING), message(STEP1, NO_CLIENT)))
      }
    }
  }
}
