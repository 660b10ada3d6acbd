// One random session from one seed: peers edit, updates travel late, twice and in any order, and at the end all are equal.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Peer } from './peer.mjs'
import { base64, bytes, canonical, root, state } from './values.mjs'

/** mulberry32: small, and the same on every machine. */
const generator = seed => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const pieces = ['a', 'bc', 'def ', '\n', 'é', 'ß∂', '漢字', '😀', 'x😀y', 'the quick brown fox']
const roots = [['text', 't'], ['array', 'a'], ['map', 'm'], ['xml', 'x']]

class Session {
  constructor (seed, marks, observe) {
    this.random = generator(seed)
    this.marks = marks
    this.observe = observe
  }

  below (n) { return Math.floor(this.random() * n) }
  pick (list) { return list[this.below(list.length)] }
  chance (p) { return this.random() < p }

  value () {
    switch (this.below(8)) {
      case 0: return null
      case 1: return this.chance(0.5)
      case 2: return this.pick([0, 1, -1, 63, 64, -64, 2147483647, 2147483648, 0.5, 0.1, 1e21, { $: 'num', v: '-0' }, { $: 'num', v: 'NaN' }])
      case 3: return this.pick(pieces)
      case 4: return { b: this.below(9), a: [this.pick(pieces), null] }
      case 5: return [this.below(5), 'x']
      case 6: return { $: 'bytes', b64: 'AQL/' }
      default: return this.below(1000)
    }
  }

  inner () {
    switch (this.below(3)) {
      case 0: return { $: 'new', k: 'text', init: this.pick(pieces) }
      case 1: return { $: 'new', k: 'array', init: [this.below(9), this.pick(pieces)] }
      default: return { $: 'new', k: 'map', init: { k: this.below(9), l: this.pick(pieces) } }
    }
  }

  attributes () {
    return this.pick([{ bold: true }, { bold: null }, { italic: true }, { color: 'red' }, { color: 'blue' }, { link: { href: 'x' } }, { bold: true, italic: null }])
  }

  /** A type to edit: a root, or sometimes something inside it. */
  place (doc) {
    const path = [...this.pick(roots)]
    for (let type = root(doc, path); ;) {
      const steps = []
      if (type instanceof Y.Map) for (const [key, value] of type.entries()) if (value instanceof Y.AbstractType) steps.push([key, value])
      if (type instanceof Y.Array || type instanceof Y.XmlFragment) type.toArray().forEach((value, at) => { if (value instanceof Y.AbstractType) steps.push([at, value]) })
      if (steps.length === 0 || this.chance(0.4)) return { path, type }
      const [step, next] = this.pick(steps)
      path.push(step)
      type = next
    }
  }

  op (doc) {
    const { path: t, type } = this.place(doc)
    if (type instanceof Y.Text) return this.textOp(t, type)
    if (type instanceof Y.Map) {
      const k = this.pick(['k', 'l', 'ключ'])
      if (this.chance(0.25)) return { op: 'mdel', t, k }
      return { op: 'set', t, k, v: this.chance(0.25) ? this.inner() : this.value() }
    }
    if (type instanceof Y.XmlElement && this.chance(0.3)) {
      const k = this.pick(['id', 'class'])
      return this.chance(0.3) ? { op: 'adelattr', t, k } : { op: 'attr', t, k, v: this.pick(pieces) }
    }
    if (this.chance(0.3) && type.length > 0) {
      const i = this.below(type.length)
      return { op: 'del', t, i, n: 1 + this.below(Math.min(3, type.length - i)) }
    }
    if (type instanceof Y.XmlFragment) {
      const v = [this.chance(0.5) ? { $: 'new', k: 'xmlelement', name: this.pick(['p', 'DIV']) } : { $: 'new', k: 'xmltext', init: this.pick(pieces) }]
      return { op: 'ains', t, i: this.below(type.length + 1), v }
    }
    const v = Array.from({ length: 1 + this.below(3) }, () => this.chance(0.2) ? this.inner() : this.value())
    return this.chance(0.3) ? { op: 'push', t, v } : { op: 'ains', t, i: this.below(type.length + 1), v }
  }

  textOp (t, type) {
    if (this.chance(0.35) && type.length > 0) {
      const i = this.below(type.length)
      return { op: 'del', t, i, n: 1 + this.below(Math.min(6, type.length - i)) }
    }
    const i = this.below(type.length + 1)
    if (this.marks && this.chance(0.5)) {
      switch (this.below(3)) {
        case 0: return type.length === 0 ? { op: 'ins', t, i: 0, s: 'm' } : { op: 'fmt', t, i: this.below(type.length), n: 1 + this.below(8), a: this.attributes() }
        case 1: return { op: 'ins', t, i, s: this.pick(pieces), a: this.attributes() }
        default: return { op: 'embed', t, i, v: { image: this.pick(pieces) }, a: this.chance(0.5) ? this.attributes() : {} }
      }
    }
    return { op: 'ins', t, i, s: this.pick(pieces) }
  }

  async run (driver, edits) {
    const gc = this.chance(0.7)
    const count = 2 + this.below(4)
    const clients = new Set()
    while (clients.size < count) clients.add(this.chance(0.1) ? 1 + this.below(2 ** 20) * 2 ** 32 : 1 + this.below(2 ** 31))
    this.undo = this.chance(0.3) && {
      whole: this.chance(0.3),
      scope: this.chance(0.7) ? roots : [this.pick(roots)],
      captureTimeout: this.chance(0.7) ? 0 : 1e9 // nothing is captured together, or all that can be
    }
    this.peers = []
    const how = { undo: this.undo || undefined, observe: this.observe }
    for (const client of clients) this.peers.push(await Peer.create(driver, 'p' + this.peers.length, client, roots, gc, how))
    this.mail = this.peers.map(() => [])
    this.log = []
    for (let n = 0; n < edits; n++) {
      const who = this.below(count)
      if (this.chance(0.6)) await this.edit(who)
      else if (this.chance(0.8)) await this.deliver(who)
      else await this.peers[who].check(this.pick(this.peers))
    }
    await this.settle()
    await this.algebra(driver)
    for (const peer of this.peers) await peer.free()
  }

  send (who, updates) {
    for (const update of updates) {
      this.log.push(update)
      this.mail.forEach((box, other) => { if (other !== who) box.push(update) })
    }
  }

  async edit (who) {
    const { doc } = this.peers[who]
    const op = this.undo && this.chance(0.25) ? { op: this.pick(['undo', 'undo', 'redo']) } : this.chance(0.1) ? { op: 'tx', ops: [this.op(doc)] } : this.op(doc)
    this.send(who, await this.peers[who].edit(op))
  }

  async deliver (who) {
    const box = this.mail[who]
    if (box.length === 0) return
    const at = this.chance(0.7) ? 0 : this.below(box.length)
    const update = box[at]
    if (!this.chance(0.1)) box.splice(at, 1) // else it comes again
    const v2 = this.chance(0.3) // a mark's value that JSON does not have would get lost on the way; none is used here
    this.send(who, v2 ? await this.peers[who].receive(base64(Y.convertUpdateFormatV1ToV2(bytes(update))), 2) : await this.peers[who].receive(update))
  }

  async settle () {
    for (let more = true; more;) {
      more = false
      for (let who = 0; who < this.peers.length; who++) {
        while (this.mail[who].length > 0) {
          more = true
          this.send(who, await this.peers[who].receive(this.mail[who].shift()))
        }
      }
    }
    for (const peer of this.peers) await peer.check(this.pick(this.peers))
    // With marks even two Yjs documents may show different attributes (values are compared by identity).
    if (this.marks) return
    const seen = this.peers.map(({ doc }) => canonical(roots.map(one => state(root(doc, one)))))
    for (const one of seen) assert.equal(one, seen[0], 'the peers did not converge')
  }

  /** Merging and cutting without a document. */
  async algebra (driver) {
    const some = this.log.filter(() => this.chance(0.5))
    if (some.length < 2) return
    const merged = await driver.must({ cmd: 'merge', v: 1, us: some })
    assert.equal(merged.u, base64(Y.mergeUpdates(some.map(bytes))), 'merged updates differ')
    const some2 = some.map(update => Y.convertUpdateFormatV1ToV2(bytes(update)))
    const merged2 = await driver.must({ cmd: 'merge', v: 2, us: some2.map(base64) })
    assert.equal(merged2.u, base64(Y.mergeUpdatesV2(some2)), 'merged updates (v2) differ')
    const sv = base64(Y.encodeStateVectorFromUpdate(bytes(this.pick(this.log))))
    const cut = await driver.must({ cmd: 'diff', v: 1, u: merged.u, sv })
    assert.equal(cut.u, base64(Y.diffUpdate(bytes(merged.u), bytes(sv))), 'the difference of updates differs')
  }
}

export const runSession = async (driver, seed, { edits = 80 } = {}) => {
  try {
    await new Session(seed, seed % 3 === 0, seed % 4 !== 0).run(driver, edits)
  } catch (error) {
    error.message = `seed ${seed} (DX_SEED=${seed} node --test tests/interop/interop.test.mjs): ${error.message}`
    throw error
  }
}
