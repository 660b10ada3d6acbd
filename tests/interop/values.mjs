// Values and visible state of Yjs documents as JSON, in the vocabulary of crdt-driver (tags under the member `$`).
import * as Y from 'yjs'

export const base64 = bytes => Buffer.from(bytes).toString('base64')
export const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))

const kinds = { text: Y.Text, array: Y.Array, map: Y.Map, xml: Y.XmlFragment }
export const root = (doc, [kind, name]) => doc.get(name, kinds[kind])
export const target = (doc, path) => path.slice(2).reduce((type, step) => type.get(step), root(doc, path))

export const toTagged = value => {
  if (value === undefined) return { $: 'undef' }
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value
    return { $: 'num', v: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (typeof value === 'bigint') return { $: 'bigint', v: String(value) }
  if (value instanceof Uint8Array) return { $: 'bytes', b64: base64(value) }
  // What a replica decides for itself, whether it loads the subdocument, is no part of the visible state.
  if (value instanceof Y.Doc) return { $: 'doc', guid: value.guid, opts: { autoLoad: value.autoLoad, gc: value.gc, meta: toTagged(value.meta) } }
  if (value instanceof Y.AbstractType) return state(value)
  if (Array.isArray(value)) return value.map(toTagged)
  if (Object.hasOwn(value, '$')) return { $: 'obj', v: Object.entries(value).map(([key, inner]) => [key, toTagged(inner)]) }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toTagged(inner)]))
}

export const fromTagged = value => {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(fromTagged)
  switch (value.$) {
    case 'undef': return undefined
    case 'num': return Number(value.v)
    case 'bigint': return BigInt(value.v)
    case 'bytes': return bytes(value.b64)
    case 'obj': return Object.fromEntries(value.v.map(([key, inner]) => [key, fromTagged(inner)]))
    case 'new': return made(value)
    case 'doc': return new Y.Doc({ guid: value.guid, ...fromTagged(value.opts ?? {}) })
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fromTagged(inner)]))
}

const made = ({ k, name, init }) => {
  switch (k) {
    case 'text': return new Y.Text(init)
    case 'array': return Y.Array.from((init ?? []).map(fromTagged))
    case 'map': return new Y.Map(Object.entries(init ?? {}).map(([key, value]) => [key, fromTagged(value)]))
    case 'xmltext': return new Y.XmlText(init)
    case 'xmlelement': return new Y.XmlElement(name)
    case 'xmlfragment': return new Y.XmlFragment()
    case 'xmlhook': return new Y.XmlHook(name)
  }
  throw new Error('unknown kind ' + k)
}

const entries = pairs => Object.fromEntries([...pairs].map(([key, value]) => [key, toTagged(value)]))

/** Neighbouring runs with equal attributes are joined, so that only what is seen counts. */
const joined = delta => {
  const runs = []
  for (const op of delta) {
    const run = { insert: toTagged(op.insert), ...(op.attributes ? { attributes: toTagged(op.attributes) } : {}) }
    const last = runs.at(-1)
    if (last && typeof last.insert === 'string' && typeof run.insert === 'string' &&
        canonical(last.attributes) === canonical(run.attributes)) last.insert += run.insert
    else runs.push(run)
  }
  return runs
}

export const state = type => {
  if (type instanceof Y.Text) {
    const attributes = entries(Object.entries(type.getAttributes()))
    return {
      t: type instanceof Y.XmlText ? 'xmltext' : 'text',
      len: type.length,
      delta: joined(type.toDelta()),
      ...(Object.keys(attributes).length ? { attrs: attributes } : {})
    }
  }
  if (type instanceof Y.Array) return { t: 'array', items: type.toArray().map(toTagged) }
  if (type instanceof Y.XmlHook) return { t: 'xmlhook', name: type.hookName, entries: entries(type.entries()) }
  if (type instanceof Y.Map) return { t: 'map', entries: entries(type.entries()) }
  if (type instanceof Y.XmlElement) {
    return {
      t: 'xmlelement',
      name: type.nodeName,
      attrs: entries(Object.entries(type.getAttributes())),
      children: type.toArray().map(toTagged)
    }
  }
  return { t: 'xmlfragment', children: type.toArray().map(toTagged) }
}

/** One text for equal values, whatever the order of their members. */
export const canonical = value => JSON.stringify(value, (_, inner) => {
  if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner
  const sorted = Object.fromEntries(Object.keys(inner).sort().map(key => [key, inner[key]]))
  if (Array.isArray(sorted.delta)) sorted.delta = rejoined(sorted.delta)
  if (sorted.$ === 'doc') delete sorted.opts.shouldLoad
  return sorted
})

const rejoined = delta => {
  const runs = []
  for (const op of delta) {
    const last = runs.at(-1)
    if (last && typeof last.insert === 'string' && typeof op.insert === 'string' &&
        canonical(last.attributes) === canonical(op.attributes)) runs[runs.length - 1] = { ...last, insert: last.insert + op.insert }
    else runs.push(op)
  }
  return runs
}
