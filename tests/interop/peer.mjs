// A peer twice: once as real Yjs, once as the engine, under one client id. Whatever is done to it is done to both. The Yjs half
// acts at once; what the engine half has to answer is left in the script.
import * as Y from 'yjs'
import { described } from './events.mjs'
import { base64, bytes, canonical, fromTagged, root, state, target } from './values.mjs'

/** Far longer than any session: changes are captured together until `stopCapturing`. */
export const kForever = 1e9

export class Peer {
  #emitted = []
  #emittedV2 = []
  #events = []
  #stacks = []

  /**
   * `undo`: 'none', 'lazy' (the driver's default: over all roots, from the first operation on) or {captureTimeout, origins?, scope?,
   * whole?}. `observe`: whether events of all roots, and what becomes of the undo stacks, are compared as well.
   */
  constructor (script, name, { client, roots, gc, undo, observe = false }) {
    this.script = script
    this.name = name
    this.client = client
    this.roots = roots
    this.gc = gc
    this.undoes = undo
    this.observe = observe
    this.doc = new Y.Doc({ gc, guid: name })
    this.doc.clientID = client
    this.doc.on('update', (update, _origin, _doc, transaction) => this.#emitted.push({ update: base64(update), local: transaction.local }))
    this.doc.on('updateV2', update => this.#emittedV2.push(base64(update)))
    for (const one of roots) {
      const type = root(this.doc, one)
      if (observe) type.observeDeep((events, { local }) => this.#events.push(...events.map(event => described(event, one.join(':'), local))))
    }
    this.#ask({ cmd: 'new', client, gc, roots, ...(observe ? { observe } : {}) })
    if (undo === 'none') this.#ask({ cmd: 'um', captureTimeout: 0, scope: [] })
    else if (undo !== 'lazy') this.track(undo)
  }

  /** Another undo manager, which the next undo acts on; the one before it goes on keeping what it may need. */
  track (undo) {
    this.#ask({ cmd: 'um', ...undo })
    this.#track(undo)
  }

  get canUndo () { return this.undoes !== 'none' }

  /** One local edit; returns the updates. What Yjs throws at, the engine has to refuse, and both keep what was done before that. */
  edit (op) {
    if (this.undoes === 'lazy' && !this.undo) this.#track({ captureTimeout: 0 })
    let thrown
    try {
      this.#perform(op)
    } catch (error) {
      thrown = error
      // A list that threw has deleted something and not told its cache of positions: later indices would mean other elements.
      for (const { t } of op.ops ?? [op]) if (target(this.doc, t)?._searchMarker) target(this.doc, t)._searchMarker.length = 0
    }
    const updates = this.#take()
    const changes = this.#takeChanges()
    const emitted = updates.map(one => one.update)
    if (thrown) this.#ask({ cmd: 'op', op }, { ok: false, us: emitted.length > 0 ? emitted : undefined }, `edit that Yjs refuses: ${thrown.message}`)
    else this.#ask({ cmd: 'op', op }, { us: emitted, ...changes })
    return updates
  }

  /** An update from elsewhere; returns what is emitted beyond it: the clean-up of marks. */
  receive (update, v = 1) { return this.receiveAll(update, v).filter(one => one.local) }

  /** The same; returns all that is emitted. */
  receiveAll (update, v = 1) {
    if (v === 2) Y.applyUpdateV2(this.doc, bytes(update))
    else Y.applyUpdate(this.doc, bytes(update))
    const updates = this.#take()
    this.#ask({ cmd: 'apply', v, u: update }, { us: updates.map(one => one.update), ...this.#takeChanges() })
    return updates
  }

  /** A cut update, which has to be refused and change nothing. */
  refuse (update, v) {
    this.#ask({ cmd: 'apply', v, u: update }, { ok: false }, 'cut update')
  }

  /** Bent bytes, for a copy of the engine half alone: taken or refused, the copy has to stay a document that answers. */
  endure (update, v) {
    const copy = this.name + '.copy'
    const ask = (request, expected) => this.script.ask({ ...request, doc: copy }, expected, `${copy}, bent bytes`)
    ask({ cmd: 'new', client: 4242, gc: this.gc, roots: this.roots, observe: this.observe })
    ask({ cmd: 'apply', v: 1, u: base64(Y.encodeStateAsUpdate(this.doc)) })
    ask({ cmd: 'apply', v, u: update }, { ok: () => null })
    ask({ cmd: 'check' })
    ask({ cmd: 'dump' })
    for (const one of [1, 2]) ask({ cmd: 'encode', v: one })
    ask({ cmd: 'free' })
  }

  /** Both halves have the same visible state, state vector and bytes; `known` is what somebody else has. */
  check (known) {
    const seen = canonical(Object.fromEntries(this.roots.map(one => [one.join(':'), state(root(this.doc, one))])))
    this.#ask({ cmd: 'dump' }, { state: got => canonical(got) === seen ? null : `the visible state differs\n  Yjs    ${seen}\n  engine ${canonical(got)}` })
    this.#ask({ cmd: 'check' })
    this.#ask({ cmd: 'sv' }, { u: base64(Y.encodeStateVector(this.doc)) })
    this.#ask({ cmd: 'encode', v: 1 }, { u: base64(Y.encodeStateAsUpdate(this.doc)) })
    this.#ask({ cmd: 'encode', v: 2 }, { u: base64(Y.encodeStateAsUpdateV2(this.doc)) })
    this.#ask({ cmd: 'encode', v: 1, sv: known }, { u: base64(Y.encodeStateAsUpdate(this.doc, bytes(known))) })
    this.#ask({ cmd: 'encode', v: 2, sv: known }, { u: base64(Y.encodeStateAsUpdateV2(this.doc, bytes(known))) })
  }

  free () { this.#ask({ cmd: 'free' }) }

  #ask (request, expected, what) {
    this.script.ask({ ...request, doc: this.name }, expected, `${this.name}, ${what ?? request.op?.op ?? request.cmd}`)
  }

  #track ({ captureTimeout, origins, scope = this.roots, whole, ignoreRemoteMapChanges = false }) {
    // With a whole document as its scope, Yjs makes steps of transactions that changed nothing; the engine never does.
    const captureTransaction = ({ deleteSet, beforeState, afterState }) =>
      deleteSet.clients.size > 0 || [...afterState].some(([client, clock]) => (beforeState.get(client) ?? 0) < clock)
    this.undo = new Y.UndoManager(whole ? this.doc : scope.map(one => target(this.doc, one)),
      { captureTimeout, captureTransaction, ignoreRemoteMapChanges, doc: this.doc, ...(origins ? { trackedOrigins: new Set(origins) } : {}) })
    const tell = text => this.#stacks.push(text)
    this.undo.on('stack-item-added', ({ type }) => tell(type + ' added'))
    this.undo.on('stack-item-updated', ({ type }) => tell(type + ' extended'))
    this.undo.on('stack-item-popped', ({ type }) => tell(type + ' used'))
    // A stack that holds nothing counts as cleared in Yjs, if the other one holds something.
    this.undo.on('stack-cleared', ({ undoStackCleared }) => { if (!undoStackCleared) tell('redo cleared') })
  }

  #clearUndo () {
    if (this.undo.canUndo()) this.#stacks.push('undo cleared')
    if (this.undo.canRedo()) this.#stacks.push('redo cleared')
    this.undo.clear()
  }

  /** The events and stack changes that the answer has to hold; nothing unless they are observed. */
  #takeChanges () {
    const [events, stacks] = [this.#events, this.#stacks]
    this.#events = []
    this.#stacks = []
    if (!this.observe) return {}
    const wanted = canonical(events)
    return {
      stacks,
      events: (got = []) => {
        // Steps are compared as they are; only what is dumped inside them may be cut differently.
        const seen = canonical(got.map(({ delta, ...event }) => ({ ...event, steps: delta })))
        return seen === wanted ? null : `the events differ\n  Yjs    ${wanted}\n  engine ${seen}`
      }
    }
  }

  /** Updates in both encodings, oldest first. */
  #take () {
    const taken = this.#emitted.map((one, n) => ({ ...one, v2: this.#emittedV2[n] }))
    this.#emitted = []
    this.#emittedV2 = []
    return taken
  }

  #perform (op) {
    switch (op.op) {
      case 'tx': return this.doc.transact(() => { for (const one of op.ops) this.#perform(one) }, op.origin ?? null)
      case 'undo': return this.undo.undo()
      case 'redo': return this.undo.redo()
      case 'stopCapturing': return this.undo.stopCapturing()
      case 'umclear': return this.#clearUndo()
    }
    const type = target(this.doc, op.t)
    const attributes = op.a === undefined ? undefined : fromTagged(op.a)
    switch (op.op) {
      case 'ins': return type.insert(op.i, op.s, attributes)
      case 'embed': return type.insertEmbed(op.i, fromTagged(op.v), attributes)
      case 'fmt': return type.format(op.i, op.n, attributes)
      case 'delta': return type.applyDelta(fromTagged(op.v))
      case 'del': return type.delete(op.i, op.n)
      case 'ains': return type.insert(op.i, op.v.map(fromTagged))
      case 'push': return type.push(op.v.map(fromTagged))
      case 'set': return type.set(op.k, fromTagged(op.v))
      case 'mdel': return type.delete(op.k)
      case 'clear': return type.clear()
      case 'attr': return type.setAttribute(op.k, fromTagged(op.v))
      case 'adelattr': return type.removeAttribute(op.k)
    }
    throw new Error('unknown operation ' + op.op)
  }
}
