// A peer twice: once as real Yjs, once as the engine, under one client id. Whatever is done to it is done to both, and the
// bytes that both emit have to be equal.
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { base64, bytes, canonical, fromTagged, root, state, target, toTagged } from './values.mjs'

/**
 * Computing a text delta deletes marks that turn out to be redundant, an edit that the engine leaves to others. Here they count as
 * deleted only while the delta is computed.
 */
const withoutDeleting = compute => {
  const original = Y.Item.prototype.delete
  const spared = []
  Y.Item.prototype.delete = function () {
    this.markDeleted()
    spared.push(this)
  }
  try {
    return compute()
  } finally {
    Y.Item.prototype.delete = original
    for (const item of spared) item.deleted = false
  }
}

const described = (event, name, local) => ({
  root: name,
  path: event.path,
  local,
  steps: withoutDeleting(() => event.changes.delta).map(op => ({
    ...op,
    ...('insert' in op ? { insert: toTagged(op.insert) } : {}),
    ...(op.attributes ? { attributes: toTagged(op.attributes) } : {})
  })),
  keys: [...event.changes.keys].map(([key, { action, oldValue }]) => ({ key, action, oldValue: toTagged(oldValue) }))
})

export class Peer {
  constructor (driver, name, client, roots, gc, observe) {
    this.driver = driver
    this.name = name
    this.client = client
    this.roots = roots
    this.emitted = []
    this.doc = new Y.Doc({ gc })
    this.doc.clientID = client
    this.doc.on('update', (update, _origin, _doc, transaction) => this.emitted.push({ update: base64(update), local: transaction.local }))
    this.events = []
    this.stacks = []
    for (const one of roots) {
      const type = root(this.doc, one)
      if (!observe) continue
      type.observeDeep((events, transaction) => this.events.push(...events.map(event => described(event, one.join(':'), transaction.local))))
    }
  }

  static async create (driver, name, client, roots, gc, { undo, observe }) {
    const peer = new Peer(driver, name, client, roots, gc, observe)
    await driver.must({ cmd: 'new', doc: name, client, gc, roots, observe })
    // Asked for at once: left alone, the driver tracks all roots from the first edit on, but not what arrived before.
    const { whole = false, scope = [], captureTimeout = 0 } = undo ?? {}
    if (undo) peer.#trackUndo(whole ? peer.doc : scope.map(one => root(peer.doc, one)), captureTimeout, observe)
    await driver.must({ cmd: 'um', doc: name, captureTimeout, scope, whole })
    return peer
  }

  #trackUndo (scope, captureTimeout, observe) {
    // With a whole document as its scope, Yjs makes steps of transactions that changed nothing; the engine never does.
    const captureTransaction = ({ deleteSet, beforeState, afterState }) =>
      deleteSet.clients.size > 0 || [...afterState].some(([client, clock]) => (beforeState.get(client) ?? 0) < clock)
    this.undo = new Y.UndoManager(scope, { captureTimeout, captureTransaction, doc: this.doc })
    if (!observe) return
    this.undo.on('stack-item-added', ({ type }) => this.stacks.push(type + ' added'))
    this.undo.on('stack-item-updated', ({ type }) => this.stacks.push(type + ' extended'))
    this.undo.on('stack-item-popped', ({ type }) => this.stacks.push(type + ' used'))
    this.undo.on('stack-cleared', ({ redoStackCleared }) => { if (redoStackCleared) this.stacks.push('redo cleared') })
  }

  #take () {
    const taken = this.emitted
    this.emitted = []
    return taken
  }

  /** One local edit; returns the updates, base64. */
  async edit (op) {
    if (op.op === 'undo' || op.op === 'redo') this.undo[op.op]()
    else this.doc.transact(() => this.#perform(op))
    const expected = this.#take().map(one => one.update)
    const { us, events, stacks } = await this.driver.must({ cmd: 'op', doc: this.name, op })
    assert.deepEqual(us, expected, `${this.name}: the update of ${JSON.stringify(op)} differs`)
    this.#compareEvents(events, stacks, JSON.stringify(op))
    return us
  }

  /** Neighbouring steps are compared as they are; only what is dumped inside them may be cut differently. */
  #compareEvents (events = [], stacks = [], cause) {
    const expected = this.events
    assert.deepEqual(stacks, this.stacks, `${this.name}: what ${cause} did to the stacks of undo differs`)
    this.events = []
    this.stacks = []
    const seen = events.map(({ delta, ...event }) => ({ ...event, steps: delta }))
    assert.equal(canonical(seen), canonical(expected), `${this.name}: the events of ${cause} differ`)
  }

  #perform (op) {
    const type = op.t && target(this.doc, op.t)
    switch (op.op) {
      case 'tx': for (const one of op.ops) this.#perform(one); return
      case 'ins': return type.insert(op.i, op.s, op.a === undefined ? undefined : fromTagged(op.a))
      case 'embed': return type.insertEmbed(op.i, fromTagged(op.v), op.a === undefined ? undefined : fromTagged(op.a))
      case 'fmt': return type.format(op.i, op.n, fromTagged(op.a))
      case 'del': return type.delete(op.i, op.n)
      case 'ains': return type.insert(op.i, op.v.map(fromTagged))
      case 'push': return type.push(op.v.map(fromTagged))
      case 'set': return type.set(op.k, fromTagged(op.v))
      case 'mdel': return type.delete(op.k)
      case 'attr': return type.setAttribute(op.k, fromTagged(op.v))
      case 'adelattr': return type.removeAttribute(op.k)
    }
    throw new Error('unknown operation ' + op.op)
  }

  /** An update from elsewhere; returns what Yjs emits beyond it (its clean-up of marks). */
  async receive (update, v = 1) {
    if (v === 2) Y.applyUpdateV2(this.doc, bytes(update))
    else Y.applyUpdate(this.doc, bytes(update))
    const expected = this.#take()
    const { us, events, stacks } = await this.driver.must({ cmd: 'apply', doc: this.name, v, u: update })
    assert.deepEqual(us, expected.map(one => one.update), `${this.name}: what is emitted after ${update} differs`)
    this.#compareEvents(events, stacks, update)
    return expected.filter(one => one.local).map(one => one.update)
  }

  /** Both halves have the same visible state, state vector and bytes. */
  async check (other) {
    const { state: seen } = await this.driver.must({ cmd: 'dump', doc: this.name })
    const expected = Object.fromEntries(this.roots.map(one => [one.join(':'), state(root(this.doc, one))]))
    assert.equal(canonical(seen), canonical(expected), `${this.name}: the visible state differs`)
    const vector = await this.driver.must({ cmd: 'sv', doc: this.name })
    assert.equal(vector.u, base64(Y.encodeStateVector(this.doc)), `${this.name}: the state vector differs`)
    const whole = await this.driver.must({ cmd: 'encode', doc: this.name, v: 1 })
    assert.equal(whole.u, base64(Y.encodeStateAsUpdate(this.doc)), `${this.name}: the bytes of the document differ`)
    const whole2 = await this.driver.must({ cmd: 'encode', doc: this.name, v: 2 })
    assert.equal(whole2.u, base64(Y.encodeStateAsUpdateV2(this.doc)), `${this.name}: the bytes of the document (v2) differ`)
    const known = base64(Y.encodeStateVector(other.doc))
    const part = await this.driver.must({ cmd: 'encode', doc: this.name, v: 1, sv: known })
    assert.equal(part.u, base64(Y.encodeStateAsUpdate(this.doc, bytes(known))), `${this.name}: the difference differs`)
  }

  free () { return this.driver.must({ cmd: 'free', doc: this.name }) }
}
