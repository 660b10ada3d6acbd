// The tables that are printed and written.

const columns = [
  ['diaryx', 'native', 'diaryx'], ['diaryx', 'wasm', 'diaryx wasm'], ['yjs', 'node', 'Yjs'], ['ywasm', 'wasm', 'ywasm'],
  ['yrs', 'native', 'yrs'], ['diamond-types', 'native', 'diamond-types'], ['loro', 'native', 'loro'], ['automerge', 'native', 'automerge'],
]
// What a ratio is made against, where the peer did the work.
const ratios = [['yjs', 'node', 'Yjs / diaryx'], ['ywasm', 'wasm', 'ywasm / diaryx wasm'], ['yrs', 'native', 'yrs / diaryx'], ['diamond-types', 'native', 'dt / diaryx']]

const digits = (ms) => (ms >= 100 ? Math.round(ms).toLocaleString('en') : ms >= 1 ? ms.toFixed(1) : ms >= 0.01 ? ms.toFixed(3) : ms.toFixed(5))

/// Rows of cells -> a Markdown table, padded so that it reads well in a terminal too. The first column is text, the others numbers.
export function layout(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)))
  const line = (cells) => `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  return [line(head), `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`, ...rows.map(line)].join('\n')
}

/// One row per work and trace, milliseconds (medians); the columns of engines that did nothing are left out.
export function times(results) {
  const used = columns.filter(([engine, build]) => results.some((r) => r.engine === engine && r.build === build))
  const usedRatios = ratios.filter(([engine, build]) => used.some(([e, b]) => e === engine && b === build))
  const keys = [...new Set(results.filter((r) => r.median_ms !== null).map((r) => `${r.trace} ${r.work}`))]
  const rows = keys.map((key) => {
    const of = (engine, build) => results.find((r) => `${r.trace} ${r.work}` === key && r.engine === engine && r.build === build)?.median_ms
    const cells = used.map(([engine, build]) => { const ms = of(engine, build); return ms === undefined ? '' : digits(ms) })
    const against = usedRatios.map(([engine, build]) => {
      const [ours, theirs] = [of('diaryx', build === 'wasm' ? 'wasm' : 'native'), of(engine, build)]
      return ours === undefined || theirs === undefined ? '' : `${(theirs / ours).toFixed(theirs / ours < 10 ? 1 : 0)}x`
    })
    return [key, ...cells, ...against]
  })
  return layout(['trace and work (ms)', ...used.map((column) => column[2]), ...usedRatios.map((ratio) => ratio[2])], rows)
}

/// Bytes that documents hold.
export function memories(results) {
  const rows = results.filter((r) => r.memory_bytes > 0).map((r) => [`${r.trace} ${r.work}`, `${r.engine} ${r.build}`, Math.round(r.memory_bytes).toLocaleString('en'), r.peak_bytes ? r.peak_bytes.toLocaleString('en') : ''])
  return layout(['what', 'engine', 'bytes held', 'peak'], rows)
}

export function goalTable(rows) {
  return layout(['goal', 'must', 'reach', 'got', 'time or size', ''], rows.map((row) => [row.name, row.must, row.reach, row.got, row.seen, row.mark]))
}
