// Sessions whose lines are bent on their way to the driver: it has to answer each line, keep its invariants, and leave a document as it
// was when it refuses an update.
import assert from 'node:assert/strict'
import { Random } from './random.mjs'
import { scriptOf } from './session.mjs'
import { base64, bytes, canonical } from './values.mjs'

const kNumbers = [-1, 0, 1, 2, 3, 0.5, 127, 128, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, -1e300, -0.5]
const kWords = ['', 't', 'a', 'm', 'x', 'text', 'array', 'map', 'xml', 'xmlelement', 'xmltext', 'xmlhook', 'k', '__proto__', '$', 'undef', 'num', 'bigint', 'bytes', 'obj',
  'doc', 'new', 'ins', 'embed', 'fmt', 'del', 'delta', 'ains', 'push', 'set', 'mdel', 'clear', 'attr', 'adelattr', 'tx', 'undo', 'redo', 'um', 'stopCapturing', 'umclear', 'apply',
  'dump', 'sv', 'encode', 'merge', 'diff', 'vector', 'convert', 'free', 'check', 'AAA=', '====', '\u0000', '😀']
const kMembers = ['cmd', 'doc', 'op', 't', 'i', 'n', 's', 'a', 'v', 'k', 'u', 'us', 'sv', 'ops', 'init', 'name', 'client', 'gc', 'roots', 'observe', 'scope', 'whole', 'origins', 'captureTimeout', '$']
const kVarInts = [[0], [1], [2], [0x7f], [0x80, 1], [0xff, 0xff, 0xff, 0xff, 0x0f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80]]

export class Mutator {
  constructor (random, requests, strangers) {
    this.random = random
    this.requests = requests
    const updates = list => list.flatMap(({ u, us }) => [u, us].flat()).filter(one => typeof one === 'string')
    this.updates = [...updates(requests), ...updates(strangers)]
  }

  /** A line near `request`: text or bytes, without a line break. */
  line (request) {
    const { random } = this
    if (random.chance(0.1)) return this.#garbage(JSON.stringify(request))
    let bent = structuredClone(request)
    for (let times = 1 + random.below(2); times > 0; times--) bent = this.#bend(bent)
    return JSON.stringify(bent)
  }

  /** A value with one thing changed somewhere inside. */
  #bend (value) {
    const { random } = this
    if (value !== null && typeof value === 'object') {
      const keys = Object.keys(value)
      if (keys.length > 0 && random.chance(0.85)) {
        const key = 'u' in value && random.chance(0.7) ? 'u' : random.pick(keys)
        const inner = key === 'u' || key === 'sv' || key === 'b64' ? this.#bendBytes(value[key]) : this.#bend(value[key])
        // defineProperty, since plain assignment to `__proto__` makes no member
        Object.defineProperty(value, key, { value: inner, enumerable: true, configurable: true, writable: true })
        return value
      }
      if (Array.isArray(value)) {
        if (random.chance(0.5)) value.splice(random.below(value.length + 1), random.below(2), this.#anything())
        else if (value.length > 0) value.push(structuredClone(random.pick(value)))
        return value
      }
      if (keys.length > 0 && random.chance(0.5)) delete value[random.pick(keys)]
      else value[random.pick(kMembers)] = this.#anything()
      return value
    }
    if (typeof value === 'number' && random.chance(0.8)) return random.chance(0.5) ? random.pick(kNumbers) : value + random.below(5) - 2
    if (typeof value === 'string' && random.chance(0.8)) return random.chance(0.8) ? random.pick(kWords) : value + random.pick(kWords)
    if (typeof value === 'boolean' && random.chance(0.8)) return !value
    return this.#anything()
  }

  #anything () {
    const { random } = this
    switch (random.below(9)) {
      case 0: return null
      case 1: return random.chance(0.5)
      case 2: return random.pick(kNumbers)
      case 3: return random.pick(kWords)
      case 4: return []
      case 5: return {}
      case 6: return structuredClone(random.pick(random.pick(this.requests).op ? [random.pick(this.requests)] : this.requests))
      case 7: return { $: random.pick(kWords), v: random.pick([null, 'x', 1, [], '-', '99999999999999999999']), k: random.pick(kWords), init: random.pick([null, [], {}, 'i', [[1]], { k: { $: 'new' } }]), guid: random.pick([1, 'g']) }
      default: return random.pick(this.updates) ?? ''
    }
  }

  #bendBytes (text) {
    const { random } = this
    if (typeof text !== 'string') return this.#anything()
    if (this.updates.length > 0 && random.chance(0.4)) return random.pick(this.updates) // e.g. what somebody else wrote under the same ids
    if (random.chance(0.05)) return text.slice(0, random.below(text.length + 1)) + random.pick(['', '=', '!', '\u00e9'])
    const bent = [...bytes(text)]
    for (let times = 1 + random.below(3); times > 0; times--) {
      const at = random.below(bent.length + 1)
      switch (random.below(6)) {
        case 0: bent.splice(at, 1 + random.below(3)); break
        case 1: bent.splice(at, random.below(3), ...random.pick(kVarInts)); break
        case 2: bent.splice(at, bent.length, ...bytes(random.pick(this.updates) ?? '').slice(random.below(20))); break
        case 3: if (at < bent.length) bent[at] = random.below(20); break
        case 4: if (at < bent.length) bent[at] = (bent[at] + random.pick([-1, 1, 2])) & 255; break
        default: if (at < bent.length) bent[at] ^= 1 << random.below(8)
      }
    }
    return base64(Uint8Array.from(bent))
  }

  #garbage (text) {
    const { random } = this
    const at = random.below(text.length + 1)
    switch (random.below(8)) {
      case 0: return ''
      case 1: return text.slice(0, at)
      case 2: return text.slice(0, at) + random.pick(['{', '}', '[', ']', '"', '\\', ',', ':', '\u0001', '\\ud800', '1e999', '\r', ' ']) + text.slice(at)
      case 3: return Buffer.concat([Buffer.from(text.slice(0, at)), Buffer.from([random.below(256) & ~10, 0xff, 0xc0]), Buffer.from(text.slice(at))])
      case 4: return 'x'.repeat(random.below(100000))
      case 5: return '['.repeat(random.below(100000))
      case 6: return `{"cmd":${'{"a":'.repeat(random.below(6000))}`
      default: return text + text
    }
  }
}

/** Throws with a line that replays the seed. */
export const runMutations = async (driver, seed) => {
  const random = new Random(seed)
  // Both sessions write under the same client ids, so that updates of one contradict what the other knows.
  const { requests } = scriptOf(seed, { smallClients: true })
  const { requests: strangers } = scriptOf(seed + 1000003, { smallClients: true })
  const mutator = new Mutator(random, requests, strangers)
  const rate = random.pick([0.02, 0.1, 0.3])
  const replay = `DX_SEED=${seed} node --test tests/interop/mutations.test.mjs`

  const lines = [] // and what their answers have to be like
  const push = (line, test = () => {}) => lines.push({ line, test })
  const ask = (request, test) => push(JSON.stringify(request), test)
  const done = answer => assert.equal(answer.ok, true, answer.error)
  const looks = ['dump', 'sv', 'encode']
  for (const request of requests) {
    const { doc } = request
    const before = []
    if (!random.chance(rate)) {
      push(JSON.stringify(request))
    } else if (request.cmd === 'apply') {
      // Its document may have been lost by a line before it: then all answers are the same refusal.
      for (const cmd of looks) ask({ cmd, doc }, answer => before.push(answer))
      let refused
      push(mutator.line(request), answer => { refused = !answer.ok })
      for (const [n, cmd] of looks.entries()) ask({ cmd, doc }, answer => { if (refused) assert.deepEqual(answer, before[n], 'a refused update left something') })
    } else {
      push(mutator.line(request))
    }
    if (doc !== undefined) ask({ cmd: 'check', doc }, answer => { if (!answer.ok) assert.match(answer.error, /no document/) })
  }

  const send = async () => {
    const answers = await driver.askLines(lines.map(({ line }) => line))
    const got = answers.map((answer, n) => {
      const where = `seed ${seed} (${replay}), line ${n}: ${shortened(lines[n].line)}`
      assert.equal(answer.status, 'fulfilled', `${where}: ${answer.reason?.message}`)
      const parsed = JSON.parse(answer.value)
      assert.equal(typeof parsed.ok, 'boolean', where)
      if (!parsed.ok) assert.ok(typeof parsed.error === 'string' && parsed.error.length > 0, where)
      try {
        lines[n].test(parsed)
      } catch (error) {
        error.message = `${where}: ${error.message}`
        throw error
      }
      return parsed
    })
    lines.length = 0
    return got
  }
  await send()

  // Whatever a document went through, what it writes can be read, and says the same in both encodings.
  const names = [...new Set(requests.map(({ doc }) => doc).filter(doc => doc !== undefined))]
  const roots = requests[0].roots
  for (const doc of names) {
    ask({ cmd: 'new', doc, client: 1, gc: true, roots })
    for (const { cmd, op, v, u } of requests.filter(one => one.doc === doc)) {
      if (cmd === 'op') ask({ cmd, doc, op })
      if (cmd === 'apply') ask({ cmd, doc, v, u })
      if (cmd === 'apply' && random.chance(0.3)) push(mutator.line({ cmd, doc, v, u }))
    }
    for (const v of [1, 2]) ask({ cmd: 'encode', doc, v })
    const answers = await send()
    const [first, second] = answers.slice(-2)
    if (!first.ok) continue // a bent line renamed something
    const readAgain = async (v, u) => {
      ask({ cmd: 'new', doc: 'read', client: 2, gc: true, roots })
      ask({ cmd: 'apply', doc: 'read', v, u }, done)
      ask({ cmd: 'check', doc: 'read' }, done)
      ask({ cmd: 'dump', doc: 'read' }, done)
      ask({ cmd: 'encode', doc: 'read', v: 1 }, done)
      return (await send()).slice(-2)
    }
    // Both by way of v1, which writes values of marks and embeds as JSON.
    const [[, onceV1], [, onceV2]] = [await readAgain(1, first.u), await readAgain(2, second.u)]
    const [[fromV1], [fromV2]] = [await readAgain(1, onceV1.u), await readAgain(1, onceV2.u)]
    assert.equal(canonical(fromV2.state), canonical(fromV1.state), `seed ${seed} (${replay}), ${doc}: v1 and v2 say different things`)
    ask({ cmd: 'free', doc: 'read' })
    push(JSON.stringify({ cmd: 'free', doc }))
  }
  await send()
}

const shortened = line => {
  const text = String(line)
  return text.length > 1500 ? text.slice(0, 1500) + `… (${text.length} characters)` : text
}
