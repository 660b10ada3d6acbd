// One random session from one seed: peers edit, updates travel late, twice, merged, cut and in any order, peers start anew from what
// they had, and at the end all are equal.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { Script } from './driver.mjs'
import { Edits } from './edits.mjs'
import { kForever, Peer } from './peer.mjs'
import { Random } from './random.mjs'
import { base64, bytes, canonical, root, state } from './values.mjs'

const kRoots = [['text', 't'], ['array', 'a'], ['map', 'm'], ['xml', 'x']]
// What a heavy session edits: one of these by its seed. The fewer the roots, the more edits meet.
const kFewRoots = [kRoots, [['text', 't']], [['array', 'a']], [['xml', 'x'], ['text', 't']], [['map', 'm'], ['array', 'a']]]
const kOddRoots = [['text', ''], ['text', 'zweiter Text 😀'], ['map', '__proto__']]

class Session {
  constructor (seed, { smallClients = false, heavy = false } = {}) {
    this.random = new Random(seed)
    this.smallClients = smallClients
    this.heavy = heavy
    this.script = new Script()
    const { random } = this
    this.marks = heavy ? seed % 4 !== 3 : seed % 3 === 0
    const roots = heavy ? kFewRoots[seed % kFewRoots.length] : kRoots
    this.roots = random.chance(0.1) ? [...roots, ...kOddRoots] : roots
    this.gc = random.chance(0.7)
    this.observe = seed % 4 !== 0
    if (heavy) {
      this.undo = random.chance(0.1) ? 'none' : random.pick(['lazy', this.#undoOptions(), this.#undoOptions()])
      this.edits = random.chance(0.03) ? 3000 : random.chance(0.3) ? 600 : 60 + random.below(200)
    } else {
      this.undo = random.chance(0.5) ? 'none' : random.pick(['lazy', 'lazy', this.#undoOptions()])
      this.edits = random.chance(0.01) ? 2000 : random.chance(0.05) ? 500 : 20 + random.below(120)
    }
    this.peers = []
    this.boxes = []
    this.log = []
    this.clients = new Set()
    const profile = { marks: this.marks, subdocuments: random.chance(0.3), deep: random.chance(heavy ? 0.5 : 0.2), beyond: random.chance(0.3) }
    const count = 2 + random.below(4)
    for (let who = 0; who < count; who++) {
      this.peers.push(this.#peer(who))
      this.boxes.push([])
    }
    this.writers = this.peers.map(({ name }) => new Edits(random, this.roots, { ...profile, name }))
  }

  run () {
    const { random, peers } = this
    for (let n = 0; n < this.edits; n++) {
      const who = random.below(peers.length)
      const choice = random.next()
      if (choice < 0.6) this.#edit(who)
      else if (choice < 0.85) this.#deliver(who)
      else if (choice < 0.89) this.#pull(who, random.below(peers.length))
      else if (choice < 0.9) this.#restart(who)
      else if (choice < 0.92) this.#refuse(who)
      else this.#check(who)
    }
    this.#settle()
    this.#algebra()
    for (const peer of this.peers) peer.free()
    return this.script
  }

  /** What is undone: changes of all roots, of one root or of anything; of any origin or of one; alone or many together. */
  #undoOptions () {
    const { random } = this
    return {
      captureTimeout: random.pick([0, 0, kForever]),
      ...random.pick([{}, {}, { scope: [random.pick(this.roots)] }, { whole: true }, { origins: ['mine'] }]),
      ...(random.chance(0.3) ? { ignoreRemoteMapChanges: true } : {})
    }
  }

  #client () {
    const { random } = this
    if (this.smallClients) return this.peers.length + this.named
    for (;;) {
      const small = random.chance(0.3)
      const client = random.chance(0.15) ? 2 ** 53 - 1 - random.below(1000) : random.chance(0.1) ? 1 + random.below(2 ** 20) * 2 ** 32 : small ? random.below(130) : random.below(2 ** 32)
      if (this.clients.has(client)) continue
      this.clients.add(client)
      return client
    }
  }

  #peer (who) {
    this.named = (this.named ?? 0) + 1
    return new Peer(this.script, `p${who}.${this.named}`, { client: this.#client(), roots: this.roots, gc: this.gc, undo: this.undo, observe: this.observe })
  }

  #send (who, updates) {
    for (const update of updates) {
      this.log.push(update)
      this.boxes.forEach((box, other) => { if (other !== who || this.random.chance(0.05)) box.push(update) })
    }
  }

  #edit (who) {
    const { random } = this
    const peer = this.peers[who]
    const writer = this.writers[who]
    if (peer.canUndo && random.chance(this.heavy ? 0.4 : 0.3) && (this.undo !== 'lazy' || peer.undo)) {
      return this.#send(who, peer.edit({ op: random.pick(['undo', 'undo', 'undo', 'redo', 'redo', 'stopCapturing', random.chance(0.1) ? 'umclear' : 'redo']) }))
    }
    if (peer.canUndo && random.chance(0.02)) peer.track({ captureTimeout: random.pick([0, kForever]), scope: [writer.place(peer.doc).path] })
    const mine = this.undo.origins && random.chance(0.6) ? { origin: 'mine' } : {}
    const op = random.chance(0.15) || mine.origin ? { op: 'tx', ops: writer.group(peer.doc), ...mine } : writer.op(peer.doc)
    this.#send(who, peer.edit(op))
  }

  #receive (who, { update, v2 }) {
    this.#send(who, this.random.chance(0.3) ? this.peers[who].receive(v2, 2) : this.peers[who].receive(update))
  }

  #deliver (who) {
    const { random } = this
    const box = this.boxes[who]
    if (box.length === 0) return
    if (random.chance(0.1)) return this.#deliverMerged(who, box)
    const at = random.chance(0.7) ? 0 : random.below(box.length)
    const update = box[at]
    if (!random.chance(0.1)) box.splice(at, 1) // else it comes again
    this.#receive(who, update)
  }

  /** Several at once, with holes where others are still on their way. */
  #deliverMerged (who, box) {
    const some = this.random.some(box, 0.5)
    if (some.length === 0) return
    this.#receive(who, {
      update: base64(Y.mergeUpdates(some.map(one => bytes(one.update)))),
      v2: base64(Y.mergeUpdatesV2(some.map(one => bytes(one.v2))))
    })
  }

  /** What `from` has and `who` lacks, as the sync protocol hands it over. */
  #pull (who, from) {
    const known = Y.encodeStateVector(this.peers[who].doc)
    const { doc } = this.peers[from]
    this.#receive(who, { update: base64(Y.encodeStateAsUpdate(doc, known)), v2: base64(Y.encodeStateAsUpdateV2(doc, known)) })
  }

  /** The peer ends and comes back under a new client id, from its bytes. */
  #restart (who) {
    const old = this.peers[who]
    const v2 = this.random.chance(0.5)
    const saved = v2 ? Y.encodeStateAsUpdateV2(old.doc) : Y.encodeStateAsUpdate(old.doc)
    old.free()
    this.peers[who] = this.#peer(who)
    this.#send(who, this.peers[who].receive(base64(saved), v2 ? 2 : 1))
  }

  #refuse (who) {
    const { random } = this
    if (this.log.length === 0) return
    const { update, v2 } = random.pick(this.log)
    const v = random.chance(0.5) ? 1 : 2
    const whole = bytes(v === 1 ? update : v2)
    if (random.chance(0.5)) return this.peers[who].refuse(base64(whole.slice(0, random.below(whole.length))), v)
    for (let bends = 1 + random.below(3); bends > 0; bends--) whole[random.below(whole.length)] ^= 1 << random.below(8)
    this.peers[who].endure(base64(whole), v)
  }

  #check (who) { this.peers[who].check(base64(Y.encodeStateVector(this.random.pick(this.peers).doc))) }

  #settle () {
    for (let more = true; more;) {
      more = false
      for (let who = 0; who < this.peers.length; who++) {
        while (this.boxes[who].length > 0) {
          more = true
          this.#receive(who, this.boxes[who].shift())
        }
      }
    }
    this.peers.forEach((_, who) => this.#check(who))
    // With marks even two Yjs documents may show different attributes (values are compared by identity).
    if (this.marks) return
    const seen = this.peers.map(({ doc }) => canonical(this.roots.map(one => state(root(doc, one)))))
    for (const one of seen) assert.equal(one, seen[0], 'two Yjs documents did not converge')
  }

  /** Merging, cutting and converting without a document. */
  #algebra () {
    const { random, script } = this
    // Steps, and whole documents or what one of them has before another, which overlap with the steps.
    const wholes = this.peers.map(({ doc }) => {
      const known = random.chance(0.5) ? undefined : Y.encodeStateVector(random.pick(this.peers).doc)
      return { update: base64(Y.encodeStateAsUpdate(doc, known)), v2: base64(Y.encodeStateAsUpdateV2(doc, known)) }
    })
    // From 64 updates on, the order in which Yjs meets an item and the collected range of one id is left to the sort of its engine.
    const overlapping = random.some(wholes, 0.3)
    const steps = random.some(this.log, 0.5)
    const some = overlapping.length > 0 ? [...steps.slice(0, 55), ...overlapping] : steps
    if (some.length < 2) return
    const ask = (request, expected) => script.ask(request, expected, 'without a document')
    const known = Y.encodeStateVector(random.pick(this.peers).doc)
    const part = Y.encodeStateVectorFromUpdate(bytes(random.pick(this.log).update))
    for (const v of [1, 2]) {
      const updates = some.map(one => bytes(v === 1 ? one.update : one.v2))
      const [merge, diff, vector, convert] = v === 1
        ? [Y.mergeUpdates, Y.diffUpdate, Y.encodeStateVectorFromUpdate, Y.convertUpdateFormatV1ToV2]
        : [Y.mergeUpdatesV2, Y.diffUpdateV2, Y.encodeStateVectorFromUpdateV2, Y.convertUpdateFormatV2ToV1]
      const merged = merge(updates)
      ask({ cmd: 'merge', v, us: updates.map(base64) }, { u: base64(merged) })
      for (const sv of [known, part]) ask({ cmd: 'diff', v, u: base64(merged), sv: base64(sv) }, { u: base64(diff(merged, sv)) })
      ask({ cmd: 'merge', v, us: [base64(updates[0])] }, { u: base64(merge([updates[0]])) })
      ask({ cmd: 'merge', v, us: [base64(merged), base64(diff(merged, part))] }, { u: base64(merge([merged, diff(merged, part)])) })
      ask({ cmd: 'vector', v, u: base64(merged) }, { u: sv => sameVector(sv, vector(merged)) })
      ask({ cmd: 'convert', v, u: base64(merged) }, { u: base64(convert(merged)) })
    }
  }
}

/** Yjs writes the vector of an update in the order of the update; what it says is what counts. */
const sameVector = (got, wanted) => {
  const text = vector => JSON.stringify([...Y.decodeStateVector(vector)].sort(([a], [b]) => a - b))
  return text(bytes(got)) === text(wanted) ? null : `the state vector of an update is ${text(bytes(got))}, not ${text(wanted)}`
}

/**
 * The questions and answers of one seed. With `smallClients`, the peers of all sessions write under the same client ids; with `heavy`,
 * more is edited, undone, marked and nested in fewer roots.
 */
export const scriptOf = (seed, options) => new Session(seed, options).run()

/** Throws with a line that replays the seed. */
export const runSession = async (driver, seed, options = {}) => {
  try {
    await scriptOf(seed, options).compare(driver)
  } catch (error) {
    error.message = `seed ${seed} (DX_KIND=${options.heavy ? 'heavy' : 'light'} DX_SEED=${seed} node --test tests/interop/interop.test.mjs): ${error.message}`
    throw error
  }
}
