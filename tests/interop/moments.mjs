// One random session of two Yjs writers, and what Yjs says about its snapshots and relative positions: as JSON, for the checker.
import * as Y from 'yjs'
import { base64 } from './values.mjs'

/** mulberry32: small, and the same on every machine. */
const generator = seed => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

class Moments {
  constructor (seed) {
    this.random = generator(seed)
    this.docs = [1, 2].map(client => {
      const doc = new Y.Doc({ gc: false })
      doc.clientID = client
      return doc
    })
  }

  below (n) { return Math.floor(this.random() * n) }
  pick (list) { return list[this.below(list.length)] }

  edit (doc) {
    const [text, map, array] = [doc.getText('t'), doc.getMap('m'), doc.getArray('a')]
    const at = this.below(text.length + 1)
    const left = text.length - at
    const key = 'k' + this.below(3)
    switch (this.below(9)) {
      case 0: return left > 0 && text.delete(at, Math.min(1 + this.below(4), left))
      case 1: return text.insertEmbed(at, { image: this.below(9) })
      case 2: return left > 0 && text.format(at, Math.min(3, left), { [this.pick(['bold', 'em'])]: this.pick([true, null, { c: 1 }]) })
      case 3: return map.set(key, this.pick([this.below(100), 'v', null, [1]]))
      case 4: return map.delete(key)
      case 5: return array.insert(this.below(array.length + 1), [this.below(9), 'x', { z: 1 }].slice(0, 1 + this.below(3)))
      case 6: return array.length > 0 && array.delete(this.below(array.length), 1)
      default: return text.insert(at, this.pick(['ab', 'xyz', 'é', 'word ', '漢字']))
    }
  }

  run () {
    const taken = []
    for (let step = 0; step < 40; step++) {
      this.edit(this.pick(this.docs))
      if (this.below(3) === 0) this.meet()
      if (step % 5 === 4) taken.push(Y.snapshot(this.docs[0]))
    }
    const doc = this.docs[0]
    const state = base64(Y.encodeStateAsUpdate(doc))
    const snapshots = taken.map(snapshot => this.describe(doc, snapshot))
    const comparisons = []
    for (let i = 0; i < 6; i++) {
      const [before, after] = [this.below(taken.length), this.below(taken.length)]
      comparisons.push({
        before,
        after,
        delta: doc.getText('t').toDelta(taken[after], taken[before]),
        byClient: doc.getText('t').toDelta(taken[after], taken[before], (type, id) => ({ user: id.client, type }))
      })
    }
    const positions = []
    for (let i = 0; i < 12; i++) positions.push(this.position(doc))
    for (let step = 0; step < 15; step++) this.edit(doc)
    for (const one of positions) {
      one.resolved = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(Buffer.from(one.bytes, 'base64')), doc)?.index ?? null
    }
    return { state, snapshots, comparisons, positions, later: base64(Y.encodeStateAsUpdate(doc)) }
  }

  meet () {
    Y.applyUpdate(this.docs[0], Y.encodeStateAsUpdate(this.docs[1]))
    Y.applyUpdate(this.docs[1], Y.encodeStateAsUpdate(this.docs[0]))
  }

  describe (doc, snapshot) {
    const restored = Y.createDocFromSnapshot(doc, snapshot)
    return {
      v1: base64(Y.encodeSnapshot(snapshot)),
      v2: base64(Y.encodeSnapshotV2(snapshot)),
      delta: doc.getText('t').toDelta(snapshot),
      entries: Y.typeMapGetAllSnapshot(doc.getMap('m'), snapshot),
      values: restored.getArray('a').toJSON(),
      restored: base64(Y.encodeStateAsUpdate(restored)),
      containsAll: Y.snapshotContainsUpdate(snapshot, Y.encodeStateAsUpdate(doc))
    }
  }

  position (doc) {
    const kind = this.pick(['text', 'array'])
    const type = kind === 'text' ? doc.getText('t') : doc.getArray('a')
    const index = this.below(type.length + 3)
    const assoc = this.pick([0, -1])
    const position = Y.createRelativePositionFromTypeIndex(type, index, assoc)
    return { kind, index, assoc, bytes: base64(Y.encodeRelativePosition(position)), json: Y.relativePositionToJSON(position) }
  }
}

export const runMoments = seed => new Moments(seed).run()
