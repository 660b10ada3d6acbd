// Writes tests/vectors/11-found.jsonl: short scripts for what the random sessions found. `node tests/interop/vectors.mjs` in the
// project's folder makes the file again from real Yjs.
import fs from 'node:fs'
import * as Y from 'yjs'
import { Peer } from './peer.mjs'
import { base64, bytes } from './values.mjs'

const kRoots = [['text', 't'], ['array', 'a'], ['map', 'm'], ['xml', 'x']]
const [T, A, M, X] = kRoots
const silent = { ask () {} }
const type = (k, init) => ({ $: 'new', k, ...(init === undefined ? {} : { init }) })

/** What a document of its own writes: the updates of `ops`, on top of `base`. */
const written = (client, base, ops) => {
  const peer = new Peer(silent, 'writer', { client, roots: kRoots, gc: true, undo: 'none' })
  for (const update of base) peer.receive(update)
  peer.doc.clientID = client // Yjs takes another one when it meets its own structs; this is still their writer
  return ops.flatMap(op => peer.edit(op)).map(one => one.update)
}
const merged = updates => base64(Y.mergeUpdates(updates.map(bytes)))

const script = (name, ops, { undo = false } = {}) => {
  const peer = new Peer(silent, name, { client: 1, roots: kRoots, gc: true, undo: undo ? { captureTimeout: 0 } : 'none' })
  const steps = ops.map(op => {
    const updates = op.op === 'apply' ? peer.receiveAll(op.u) : peer.edit(op)
    return { op, updatesV1: updates.map(one => one.update), updatesV2: updates.map(one => one.v2) }
  })
  if (undo) steps.unshift({ op: { op: 'um', scope: kRoots, captureTimeout: 0 }, updatesV1: [], updatesV2: [] })
  const final = { v1: base64(Y.encodeStateAsUpdate(peer.doc)), v2: base64(Y.encodeStateAsUpdateV2(peer.doc)), sv: base64(Y.encodeStateVector(peer.doc)) }
  return { name, client: 1, gc: true, roots: kRoots, steps, final }
}

const ins = (i, s, a) => ({ op: 'ins', t: T, i, s, ...(a ? { a } : {}) })
const del = (i, n) => ({ op: 'del', t: T, i, n })
const undo = { op: 'undo' }
const redo = { op: 'redo' }
const apply = u => ({ op: 'apply', u })

const scripts = []
scripts.push(script('text-beyond-the-end-lands-behind-marks', [ins(0, 'm', { bold: true }), ins(6, 'end'), ins(9, '!', {})]))
// The marks around a letter that somebody else deleted: nothing is left to delete there but the marks.
const letters = written(5, [], [ins(0, 'ab')])
const marked = written(77, letters, [{ op: 'fmt', t: T, i: 1, n: 1, a: { bold: true } }])
const bare = written(900, letters, [del(1, 1)])
scripts.push(script('deleting-at-the-end-cleans-up-marks', [...letters, ...bare, ...marked].map(apply).concat([del(1, 5)])))
scripts.push(script('an-embedded-string-is-text', [ins(0, 'ab'), { op: 'embed', t: T, i: 1, v: 'xy', a: { bold: true } }]))
scripts.push(script('an-embedded-type-is-filled-before-its-marks-end', [
  ins(0, 'ab', { bold: true }), { op: 'embed', t: T, i: 1, v: type('text', 'c'), a: { italic: true } },
  { op: 'embed', t: T, i: 3, v: type('map', { k: 1, l: [2] }) }, { op: 'delta', t: T, v: [{ insert: type('array', [1, 'x']), attributes: { bold: null } }] }]))
scripts.push(script('attributes-that-are-indices-come-first', [
  ins(0, 'xyz', { b: 'b', 10: 'ten', 9: 'nine' }), { op: 'embed', t: T, i: 1, v: { image: 'i' }, a: { link: 'l' } }, ins(1, 'y', { link: 'l' }), { op: 'fmt', t: T, i: 0, n: 2, a: { z: 1, 2: 'two' } }]))
// Two marks at one place, of which a deletion that goes beyond the end has to pass the one behind the last letter.
const strong = written(7, [], [ins(0, 'bc', { b: true })])
const red = written(7, strong, [{ op: 'fmt', t: T, i: 0, n: 2, a: { b: { a: 1 } } }])
scripts.push(script('a-delta-deletes-beyond-the-end', [
  ...strong.map(apply), { op: 'fmt', t: T, i: 0, n: 2, a: { b: null } }, ...red.map(apply),
  { op: 'delta', t: T, v: [{ delete: 20 }, { insert: 'x', attributes: { i: true } }] }, ins(0, 'y', {})]))
const element = name => ({ $: 'new', k: 'xmlelement', name })
scripts.push(script('xml-appends-before-trailing-tombstones', [
  { op: 'push', t: X, v: [element('p'), element('q')] }, { op: 'del', t: X, i: 1, n: 1 }, { op: 'push', t: X, v: [element('r'), element('s')] },
  { op: 'push', t: A, v: [1, 2] }, { op: 'del', t: A, i: 1, n: 1 }, { op: 'push', t: A, v: [3] }]))
// In a list that is long enough for an index: behind all tombstones, wherever the last edit was.
const row = Array.from({ length: 40 }, (_, n) => ({ op: 'push', t: A, v: [n % 3 === 0 ? { $: 'bytes', b64: 'AQ==' } : type('map')] }))
scripts.push(script('pushing-in-a-long-list-lands-behind-all-tombstones', [
  ...row, { op: 'del', t: A, i: 36, n: 4 }, { op: 'ains', t: A, i: 3, v: [1] }, { op: 'push', t: A, v: [2] }, { op: 'push', t: A, v: [type('map')] },
  { op: 'del', t: A, i: 0, n: 39 }, { op: 'push', t: A, v: [3] }]))

// Three clients that arrive in an order that is neither ascending nor descending.
const first = written(77, [], [{ op: 'push', t: A, v: ['first'] }])
const second = written(900, first, [{ op: 'push', t: A, v: ['second'] }])
const third = written(5, [...first, ...second], [{ op: 'push', t: A, v: ['third'] }])
const more = [written(77, [...first, ...second, ...third], [{ op: 'ains', t: A, i: 0, v: ['a', 'b'] }, { op: 'set', t: M, k: 'k', v: 1 }]).at(0),
  written(900, [...first, ...second, ...third], [{ op: 'ains', t: A, i: 1, v: ['c'] }]).at(0), written(5, [...first, ...second, ...third], [{ op: 'ains', t: A, i: 2, v: ['d'] }]).at(0)]
scripts.push(script('undo-goes-through-clients-as-they-came', [...first, ...second, ...third].map(apply).concat([apply(merged(more)), undo, redo, undo, redo]), { undo: true }))

// A type whose list and map were written by different clients, deleted as a whole.
const outer = written(900, [], [{ op: 'push', t: A, v: [element('p')] }, { op: 'push', t: [...A, 0], v: [{ $: 'new', k: 'xmltext', init: 'inside' }] }])
const attribute = written(5, outer, [{ op: 'attr', t: [...A, 0], k: 'id', v: 'x' }])
const text = written(77, outer, [{ op: 'ins', t: [...A, 0, 0], i: 3, s: 'more' }])
const gone = written(900, [...outer, ...attribute, ...text], [{ op: 'del', t: A, i: 0, n: 1 }])
scripts.push(script('undo-brings-back-what-a-type-held-in-its-order', [...outer, ...attribute, ...text, ...gone].map(apply).concat([undo, redo, undo]), { undo: true }))

scripts.push(script('undo-follows-copies-of-copies', [
  ins(0, 'c'), ins(1, 'd'), del(0, 2), undo, del(0, 2), undo, undo, redo], { undo: true }))

// What was undone and brought back is collected with its type, by somebody whose changes nobody tracks; then its first insertion is undone.
scripts.push(script('undo-passes-copies-that-were-collected', [
  { op: 'set', t: M, k: 'k', v: element('p') }, { op: 'tx', ops: [{ op: 'attr', t: [...M, 'k'], k: 'x', v: 1 }, { op: 'push', t: [...M, 'k'], v: [{ $: 'new', k: 'xmltext', init: 'ab' }] }] },
  { op: 'set', t: M, k: 'k', v: 5 }, undo, { op: 'push', t: [...M, 'k'], v: [element('q')] }, undo, { op: 'push', t: A, v: ['z'] },
  { op: 'tx', ops: [{ op: 'mdel', t: M, k: 'k' }], origin: 'other' }, undo, undo, undo], { undo: true }))

// What is typed behind a letter that was brought back, and deleted at once, is collected; the letter is kept.
scripts.push(script('what-was-brought-back-does-not-keep-what-is-typed-behind-it', [
  { op: 'set', t: M, k: 'k', v: type('text', 'a') }, undo, redo,
  { op: 'tx', ops: [{ op: 'ins', t: [...M, 'k'], i: 1, s: 'bc' }, { op: 'set', t: M, k: 'k', v: 1 }], origin: 'other' }], { undo: true }))

// A value of a map that was replaced lies next to collected units; when its map goes as well, all become one struct.
const made = written(7, [], [{ op: 'push', t: A, v: [type('array')] }, { op: 'push', t: A, v: [type('map')] }, { op: 'set', t: [...A, 1], k: 'k', v: 1 }, { op: 'push', t: [...A, 0], v: ['y'] }])
const replaced = written(9, made, [{ op: 'set', t: [...A, 1], k: 'k', v: 2 }, { op: 'del', t: A, i: 0, n: 1 }])
const late = written(7, made, [{ op: 'push', t: [...A, 0], v: ['z'] }])
const also = written(9, [...made, ...replaced], [{ op: 'del', t: A, i: 0, n: 1 }])
scripts.push(script('collected-units-join-to-the-left', [...made, ...replaced].map(apply).concat([apply(merged([...late, ...also]))])))

// What JavaScript makes of values: indices first, the last of two equal keys, a default for what is undefined.
scripts.push(script('values-are-as-in-javascript', [
  { op: 'set', t: M, k: 'k', v: { $: 'obj', v: [['$', 1], ['b', 2], ['10', 3], ['9', 4], ['b', 5]] } },
  { op: 'set', t: M, k: 'd', v: { $: 'doc', guid: 'g', opts: { autoLoad: true, meta: { $: 'undef' } } } },
  { op: 'push', t: X, v: [type('xmlelement')] }]))

fs.writeFileSync(new URL('../vectors/11-found.jsonl', import.meta.url), scripts.map(one => JSON.stringify(one) + '\n').join(''))
