// Random edits that fit a document as it is, with the contents that outside benches like: every kind of value, odd keys, deep types.
import * as Y from 'yjs'
import { root } from './values.mjs'

const kPieces = ['a', 'bc', 'def ', '\n', 'é', 'ß∂', '漢字', '😀', 'x😀y', '👩‍👩‍👧', '\u0000', '\ufeff', 'the quick brown fox ', '"\\\u2028']
const kKeys = ['k', 'l', 'ключ', '', '0', '10', '😀', '__proto__', 'a key with spaces and more than nineteen units']
const kNumbers = [0, 1, -1, 63, 64, -64, 127, 2147483647, 2147483648, -2147483648, 4294967296, 9007199254740991, 0.5, 0.1, -1.5, 1e21, 1e-7, 5e-324,
  { $: 'num', v: '-0' }, { $: 'num', v: 'NaN' }, { $: 'num', v: 'Infinity' }, { $: 'num', v: '-Infinity' }]
const kAttributes = [{ bold: true }, { bold: null }, { bold: false }, { italic: true }, { color: 'red' }, { color: 'blue' }, { color: null },
  { link: { href: 'x' } }, { link: { href: 'x' } }, { link: null }, { bold: true, italic: null }, { size: 1.5 }, { size: 0 }, { size: '' },
  { list: [1, { a: null }] }, { 2: 'two', 1: 'one', b: 'b' }, { code: 'é😀"\\\n' }]

export class Edits {
  #subdocuments = 0

  constructor (random, roots, { marks, subdocuments, deep, beyond, name }) {
    Object.assign(this, { random, roots, marks, subdocuments, deep, beyond, name })
  }

  /** One operation, in the vocabulary of crdt-driver. */
  op (doc) {
    const { path: t, type } = this.place(doc)
    const { random } = this
    if (type instanceof Y.Text) return random.chance(0.04) ? this.#attribute(t) : this.#textEdit(t, type)
    if (type instanceof Y.Map) return this.#mapEdit(t)
    if (type instanceof Y.XmlElement && random.chance(0.3)) return this.#attribute(t)
    return this.#listEdit(t, type)
  }

  /** Several operations of one transaction that need not know of each other. */
  group (doc) {
    // Only the first may follow a path: the others could be about what it deletes.
    return Array.from({ length: 1 + this.random.below(4) }, (_, n) => n === 0 ? this.op(doc) : this.#safeOp(doc))
  }

  #safeOp (doc) {
    const { random } = this
    const fit = this.roots.filter(([kind]) => kind === 'text' || kind === 'map')
    if (fit.length === 0) {
      const t = this.roots[0]
      return { op: 'push', t, v: [t[0] === 'xml' ? this.#xml() : this.#content('list')] }
    }
    const t = random.pick(fit)
    return t[0] === 'map' ? this.#mapEdit(t) : { op: 'ins', t, i: random.below(root(doc, t).length + 1), s: this.#piece() }
  }

  /** A type to edit: a root, or something inside it. */
  place (doc) {
    const path = [...this.random.pick(this.roots)]
    for (let type = root(doc, path); ;) {
      const steps = []
      if (type instanceof Y.Map) for (const [key, value] of type.entries()) if (value instanceof Y.AbstractType) steps.push([key, value])
      if (type instanceof Y.Array || type instanceof Y.XmlFragment) type.toArray().forEach((value, at) => { if (value instanceof Y.AbstractType) steps.push([at, value]) })
      if (steps.length === 0 || this.random.chance(this.deep ? 0.1 : 0.4)) return { path, type }
      const [step, next] = this.random.pick(steps)
      path.push(step)
      type = next
    }
  }

  #piece () {
    const { random } = this
    if (random.chance(0.03)) return random.pick(kPieces).repeat(20 + random.below(60))
    return random.pick(kPieces)
  }

  #attributes () {
    const { random } = this
    const one = random.pick(kAttributes)
    return random.chance(0.2) ? { ...one, ...random.pick(kAttributes) } : one
  }

  /** A plain value; in a map it may also be undefined or a bigint. */
  #value (where) {
    const { random } = this
    switch (random.below(where === 'map' ? 11 : 9)) {
      case 0: return null
      case 1: return random.chance(0.5)
      case 2: return random.pick(kNumbers)
      case 3: return this.#piece()
      case 4: return { b: random.below(9), a: [random.pick(kPieces), null], 10: {}, 2: { $: 'undef' } }
      case 5: return [random.below(5), 'x', random.pick(kNumbers), [[{}]]]
      case 6: return { $: 'bytes', b64: random.pick(['AQL/', '', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']) }
      case 7: return random.below(1000)
      case 8: return { $: 'obj', v: [['$', random.below(3)], ['inner', 'x']] }
      case 9: return { $: 'undef' }
      default: return { $: 'bigint', v: random.pick(['0', '-1', '9007199254740993', '-9223372036854775808', '9223372036854775807']) }
    }
  }

  #content (where) {
    const { random } = this
    if (this.subdocuments && random.chance(0.1)) {
      const guid = `${this.name}-${this.#subdocuments++}`
      return { $: 'doc', guid, ...(random.chance(0.5) ? { opts: random.pick([{ autoLoad: true }, { gc: false, meta: { a: [1] } }, { meta: 'm', autoLoad: true }]) } : {}) }
    }
    return random.chance(this.deep ? 0.5 : 0.22) ? this.#type(this.deep ? 3 : 1) : this.#value(where)
  }

  #type (depth) {
    const { random } = this
    const inner = where => depth > 0 && random.chance(0.4) ? this.#type(depth - 1) : this.#value(where)
    switch (random.below(8)) {
      case 0: case 1: return { $: 'new', k: 'text', init: this.#piece() }
      case 2: return { $: 'new', k: 'text' }
      case 3: return { $: 'new', k: 'array', init: Array.from({ length: random.below(4) }, () => inner('list')) }
      case 4: case 5: return { $: 'new', k: 'map', init: Object.fromEntries(random.some(kKeys, 0.3).map(key => [key, inner('map')])) }
      case 6: return { $: 'new', k: 'xmlfragment' }
      default: return this.#xml()
    }
  }

  #xml () {
    const { random } = this
    switch (random.below(5)) {
      case 0: case 1: return { $: 'new', k: 'xmlelement', name: random.pick(['p', 'DIV', 'h1', 'ä']) }
      case 2: return { $: 'new', k: 'xmlhook', name: random.pick(['hook', 'p']) }
      case 3: return { $: 'new', k: 'xmltext' }
      default: return { $: 'new', k: 'xmltext', init: this.#piece() }
    }
  }

  #attribute (t) {
    const { random } = this
    const k = random.pick(['id', 'class', 'Ä'])
    return random.chance(0.3) ? { op: 'adelattr', t, k } : { op: 'attr', t, k, v: random.chance(0.7) ? this.#piece() : this.#content('map') }
  }

  #mapEdit (t) {
    const { random } = this
    const k = random.pick(random.chance(0.6) ? kKeys.slice(0, 3) : kKeys)
    if (random.chance(0.02)) return { op: 'clear', t }
    return random.chance(0.25) ? { op: 'mdel', t, k } : { op: 'set', t, k, v: this.#content('map') }
  }

  #listEdit (t, type) {
    const { random } = this
    const { length } = type
    if (random.chance(0.3) && length > 0) {
      const i = random.below(length)
      if (this.beyond && random.chance(0.1)) return { op: 'del', t, i, n: length + 1 }
      return { op: 'del', t, i, n: random.chance(0.05) ? length - i : 1 + random.below(Math.min(3, length - i)) }
    }
    if (this.beyond && random.chance(0.03)) return { op: 'ains', t, i: length + 1 + random.below(3), v: [1] }
    const xml = type instanceof Y.XmlFragment
    const v = Array.from({ length: 1 + random.below(xml ? 2 : 4) }, () => xml ? this.#xml() : this.#content('list'))
    return random.chance(0.3) ? { op: 'push', t, v } : { op: 'ains', t, i: random.below(length + 1), v }
  }

  #textEdit (t, type) {
    const { random } = this
    const { length } = type
    if (random.chance(0.35) && length > 0) {
      if (random.chance(0.04)) return { op: 'del', t, i: 0, n: length }
      const i = random.below(length + 1)
      // Yjs clips what goes beyond the end.
      return { op: 'del', t, i, n: 1 + random.below(random.chance(0.05) ? 200 : 6) }
    }
    const i = random.chance(0.02) ? length + 5 : random.below(length + 1)
    if (this.marks && random.chance(0.5)) return this.#markEdit(t, type, i)
    return { op: 'ins', t, i, s: random.chance(0.01) ? '' : this.#piece() }
  }

  #markEdit (t, type, i) {
    const { random } = this
    const { length } = type
    if (length === 0) return { op: 'ins', t, i: 0, s: 'm', a: this.#attributes() }
    switch (random.below(8)) {
      case 0: case 1: case 2: {
        const all = random.chance(0.1)
        return { op: 'fmt', t, i: all ? 0 : random.below(length), n: all ? length : random.below(random.chance(0.1) ? 60 : 9), a: this.#attributes() }
      }
      case 3: return { op: 'ins', t, i, s: this.#piece(), a: random.chance(0.2) ? {} : this.#attributes() }
      case 4: case 5: {
        const v = random.chance(0.2) ? this.#type(1) : random.chance(0.5) ? { image: random.pick(kPieces) } : { v: this.#value('list') }
        return { op: 'embed', t, i, v, ...(random.chance(0.6) ? { a: random.chance(0.5) ? this.#attributes() : {} } : {}) }
      }
      default: return { op: 'delta', t, v: this.#delta(length) }
    }
  }

  #delta (length) {
    const { random } = this
    const ops = []
    let left = length
    for (let n = 1 + random.below(4); n > 0; n--) {
      const step = 1 + random.below(5)
      switch (random.below(4)) {
        case 0: ops.push({ retain: step, ...(random.chance(0.4) ? { attributes: this.#attributes() } : {}) }); left -= step; break
        case 1: {
          // What goes beyond the end is clipped.
          const gone = random.chance(0.05) ? step + 200 : step
          if (length > 0) ops.push({ delete: gone })
          left -= gone
          break
        }
        case 2: ops.push({ insert: { image: 'x' } }); break
        default: ops.push({ insert: this.#piece(), ...(random.chance(0.4) ? { attributes: this.#attributes() } : {}) })
      }
    }
    return ops
  }
}
