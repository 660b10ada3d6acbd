// What crdt-driver answers to lines that make no sense: `{"ok":false,"error":"<sentence>"}`, and the document stays as it was.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Driver } from './driver.mjs'
import * as Y from 'yjs'
import { base64 } from './values.mjs'

const program = process.env.DX_CRDT_DRIVER ?? 'build/release/bin/crdt-driver'
const roots = [['text', 't'], ['array', 'a'], ['map', 'm'], ['xml', 'x']]
const [T, A, M, X] = roots

const edits = {
  'a key of a text is an attribute': { op: 'set', t: T, k: 'k', v: 1 },
  'an attribute of a map is an entry': { op: 'attr', t: M, k: 'k', v: 1 },
  'a fragment has no attributes': { op: 'attr', t: X, k: 'k', v: 'v' },
  'an array has no entries': { op: 'mdel', t: A, k: 'k' },
  'a text is not cleared': { op: 'clear', t: T },
  'a map takes no text': { op: 'ins', t: M, i: 0, s: 'x' },
  'an array takes no text': { op: 'ins', t: A, i: 0, s: 'x' },
  'a text takes no elements': { op: 'push', t: T, v: [1] },
  'an index below the start': { op: 'ins', t: T, i: -1, s: 'x' },
  'an index that is a string': { op: 'ins', t: T, i: '0', s: 'x' },
  'an index between two': { op: 'ains', t: A, i: 0.5, v: [1] },
  'an index that is missing': { op: 'ains', t: A, v: [1] },
  'an index beyond the end of an array': { op: 'ains', t: A, i: 3, v: [1] },
  'an index beyond all numbers': { op: 'ains', t: A, i: 1e300, v: [1] },
  'a deletion behind the end of an array': { op: 'del', t: A, i: 5, n: 1 },
  'a length below nothing': { op: 'del', t: T, i: 0, n: -1 },
  'a length that is missing': { op: 'del', t: T, i: 0 },
  'no text': { op: 'ins', t: T, i: 0 },
  'no attributes': { op: 'fmt', t: T, i: 0, n: 1 },
  'attributes that are a list': { op: 'ins', t: T, i: 0, s: 'x', a: [] },
  'newlines without end': { op: 'fmt', t: T, i: 0, n: 4e9, a: { bold: true } },
  'newlines without end, by a delta': { op: 'delta', t: T, v: [{ retain: 4e9, attributes: { bold: true } }] },
  'a delta that is no list': { op: 'delta', t: T, v: {} },
  'elements that are no list': { op: 'push', t: A, v: 1 },
  'no key': { op: 'set', t: M, v: 1 },
  'a key that is a number': { op: 'set', t: M, k: 1, v: 1 },
  'a bigint that is none': { op: 'set', t: M, k: 'k', v: { $: 'bigint', v: 'twelve' } },
  'bytes that are none': { op: 'set', t: M, k: 'k', v: { $: 'bytes', b64: '!' } },
  'a kind of type that nobody knows': { op: 'set', t: M, k: 'k', v: { $: 'new', k: 'table' } },
  'a bigint in an array': { op: 'push', t: A, v: [{ $: 'bigint', v: '1' }] },
  'an operation that nobody knows': { op: 'swap', t: A },
  'no operation': {},
  'a transaction without operations': { op: 'tx' },
  'an origin that is a list': { op: 'tx', ops: [], origin: [1] },
  'an array that nests too deep': { op: 'push', t: A, v: [JSON.parse('['.repeat(1001) + ']'.repeat(1001))] },
  'an embed that nests too deep': { op: 'embed', t: T, i: 0, v: JSON.parse('['.repeat(1001) + ']'.repeat(1001)) },
  'bytes without their padding': { op: 'set', t: M, k: 'k', v: { $: 'bytes', b64: 'AAA' } },
  'no target': { op: 'push', v: [1] },
  'a target that is no type': { op: 'ins', t: [...A, 0], i: 0, s: 'x' },
  'a target that is not there': { op: 'ins', t: [...M, 'nobody'], i: 0, s: 'x' },
  'a root of another kind': { op: 'push', t: ['array', 't'], v: [1] }
}

const lines = {
  'no JSON': 'hello',
  'an empty line': '',
  'a list': '[]',
  'a number': '7',
  'half an object': '{"cmd":"dump"',
  'a command that nobody knows': { cmd: 'destroy', doc: 'd' },
  'no command': { doc: 'd' },
  'a document that is not there': { cmd: 'dump', doc: 'nobody' },
  'no document': { cmd: 'dump' },
  'a client that is no number': { cmd: 'new', doc: 'd', client: 'me' },
  'a client beyond 2^53-1': { cmd: 'new', doc: 'd', client: 2 ** 53 },
  'a client between two': { cmd: 'new', doc: 'd', client: 1.5 },
  'a root of a kind that nobody knows': { cmd: 'new', doc: 'd', client: 1, roots: [['table', 't']] },
  'a root of two kinds': { cmd: 'new', doc: 'd', client: 1, roots: [['text', 't'], ['array', 't']] },
  'no update': { cmd: 'apply', doc: 'd', v: 1 },
  'an update that is no base64': { cmd: 'apply', doc: 'd', v: 1, u: '%%%%' },
  'an update without its padding': { cmd: 'apply', doc: 'd', v: 1, u: 'AAA' },
  'a capture timeout that is a string': { cmd: 'um', doc: 'd', captureTimeout: 'long' },
  'a capture timeout below nothing': { cmd: 'um', doc: 'd', captureTimeout: -1 },
  'a scope that is no list': { cmd: 'um', doc: 'd', scope: 'all' },
  'a scope that is not there': { cmd: 'um', doc: 'd', scope: [['table', 't']] },
  'origins that are no list': { cmd: 'um', doc: 'd', origins: 'mine' },
  'an origin that is an object': { cmd: 'um', doc: 'd', origins: [{ a: 7 }] },
  'an option that is no truth': { cmd: 'um', doc: 'd', whole: 1 },
  'a version that nobody knows': { cmd: 'apply', doc: 'd', v: 3, u: 'AAA=' },
  'a state vector that is cut': { cmd: 'encode', doc: 'd', v: 1, sv: 'AgEF' },
  'updates that are no list': { cmd: 'merge', v: 1, us: 'AAA=' },
  'an update to merge that is cut': { cmd: 'merge', v: 1, us: ['AAA=', 'AQ=='] },
  'a difference without state vector': { cmd: 'diff', v: 1, u: 'AAA=' },
  'depth without end': '{"a":'.repeat(100000)
}

test('lines that make no sense are answered with a sentence', async t => {
  const driver = new Driver(program)
  t.after(() => driver.close())
  const answers = async requests => (await driver.askLines(requests.map(one => typeof one === 'string' ? one : JSON.stringify(one))))
    .map(({ value, reason }) => value === undefined ? assert.fail(reason) : JSON.parse(value))
  const op = edit => ({ cmd: 'op', doc: 'd', op: edit })
  await answers([{ cmd: 'new', doc: 'd', client: 1, roots }, op({ op: 'ins', t: T, i: 0, s: 'text' }), op({ op: 'push', t: A, v: [1, 2] })])
  const looks = [{ cmd: 'dump', doc: 'd' }, { cmd: 'encode', doc: 'd' }]
  const before = await answers(looks)
  for (const [name, line] of [...Object.entries(lines), ...Object.entries(edits).map(([name, edit]) => [name, op(edit)])]) {
    const [{ ok, error }, ...after] = await answers([line, ...looks])
    assert.equal(ok, false, name)
    assert.match(error, /^\S+ \S+/, name)
    assert.deepEqual(after, before, name)
  }
})

test('what a transaction did before the step that is refused is done, and handed out', async t => {
  const driver = new Driver(program)
  t.after(() => driver.close())
  const answers = async requests => (await driver.ask(requests)).map(({ value, reason }) => JSON.parse(value ?? reason.message))
  const ops = [{ op: 'ins', t: T, i: 0, s: 'kept' }, { op: 'ains', t: A, i: 9, v: [1] }, { op: 'push', t: A, v: [2] }]
  const [, { ok, us }, { u }] = await answers([{ cmd: 'new', doc: 'd', client: 1, roots }, { cmd: 'op', doc: 'd', op: { op: 'tx', ops } }, { cmd: 'encode', doc: 'd' }])
  assert.equal(ok, false)
  assert.deepEqual(us, [u])
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Buffer.from(u, 'base64'))
  assert.equal(copy.getText('t').toString(), 'kept')
  assert.equal(copy.getArray('a').length, 0)
})

test('a deletion in a text that never held anything is refused, since Yjs throws there', async t => {
  const driver = new Driver(program)
  t.after(() => driver.close())
  const texts = new Y.Doc({ gc: true })
  const edits = [{ op: 'del', i: 0, n: 1 }, { op: 'delta', v: [{ delete: 0 }] }, { op: 'delta', v: [{ retain: 0, attributes: { b: null } }, { insert: '' }, { delete: 3 }, { insert: 'x' }] },
    { op: 'del', i: 0, n: 0 }, { op: 'delta', v: [{ retain: 1 }, { delete: 1 }] }, { op: 'del', i: 0, n: 9 }]
  const answers = (await driver.ask([{ cmd: 'new', doc: 'd', client: 1, roots }, ...edits.map(op => ({ cmd: 'op', doc: 'd', op: { ...op, t: T } }))])).map(({ value, reason }) => JSON.parse(value ?? reason.message).ok)
  assert.deepEqual(answers.slice(1), edits.map(({ op, i, n, v }) => {
    try {
      op === 'del' ? texts.getText('t').delete(i, n) : texts.getText('t').applyDelta(v)
      return true
    } catch {
      return false
    }
  }))
  assert.deepEqual(answers.slice(1), [false, false, false, true, true, true])
})

test('an origin is tracked that is the same in JavaScript', async t => {
  const driver = new Driver(program)
  t.after(() => driver.close())
  const undone = async origin => {
    const requests = [{ cmd: 'new', client: 1, roots }, { cmd: 'um', origins: ['7', true, 1.5] }, { cmd: 'op', op: { op: 'tx', ops: [{ op: 'push', t: A, v: [1] }], origin } }, { cmd: 'op', op: { op: 'undo' } }]
    const answers = (await driver.ask(requests.map(one => ({ ...one, doc: 'd' })))).map(({ value, reason }) => JSON.parse(value ?? reason.message))
    return answers.at(-1).us.length > 0
  }
  for (const [origin, wanted] of [['7', true], [7, false], [true, true], ['true', false], [1.5, true], [null, false], [undefined, false]]) assert.equal(await undone(origin), wanted, String(origin))
})

test('types may be nested as deep as an update is long', async t => {
  const depth = 50000
  const struct = n => [7, ...(n === 0 ? [1, 1, 'a'.charCodeAt(0)] : [0, 5, ...varUint(n - 1)]), 0]
  const varUint = n => n < 128 ? [n] : [n % 128 + 128, ...varUint(Math.floor(n / 128))]
  const update = Uint8Array.from([1, ...varUint(depth), 5, 0, ...Array.from({ length: depth }, (_, n) => struct(n)).flat(), 0])
  const driver = new Driver(program)
  t.after(() => driver.close())
  const named = { doc: 'd' }
  for (const request of [{ cmd: 'new', client: 1, roots, observe: true }, { cmd: 'apply', u: base64(update) }, { cmd: 'check' }, { cmd: 'dump' }, { cmd: 'encode' }, { cmd: 'free' }]) {
    const [{ value, reason }] = await driver.ask([{ ...request, ...named }])
    assert.match(value ?? reason.message, /^{"ok":true/, request.cmd)
  }
})

test('the last line is answered without a line break behind it', () => {
  const { status, stdout } = spawnSync(program, { input: '{"cmd":"merge","us":[]}\n{"cmd":"merge","us":[]}', encoding: 'utf8' })
  assert.deepEqual([status, stdout], [0, '{"ok":true,"u":"AAA="}\n'.repeat(2)])
})
