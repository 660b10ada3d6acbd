// The goals of the server and the tables. A figure is the median of its turns.
import { layout } from '../lib/table.mjs'

const names = { yjs: 'diaryx /yjs', sync2: 'diaryx /sync2', 'y-websocket': 'y-websocket', hocuspocus: 'Hocuspocus' }
const ours = ['yjs', 'sync2']
const peers = ['y-websocket', 'hocuspocus']

const ms = (value) => (value >= 100 ? `${Math.round(value).toLocaleString('en')} ms` : `${value.toFixed(1)} ms`)
const bytes = (value) => (Math.abs(value) >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(1)} kB`)
const micro = (value) => `${value.toFixed(1)} us`
const count = (value) => Math.round(value).toLocaleString('en')

// What is shown of each row, and its goal: `more` or `less` than both peers by this factor, or an absolute bound.
const figures = [
  ['throughput-1', 'updates_per_second', 'one document: updates per second', count, { more: 10 }],
  ['throughput-1', 'cpu_us_per_update', 'one document: processor time per update', micro],
  ['throughput-1000', 'updates_per_second', '1,000 documents: updates per second', count, { more: 10 }],
  ['throughput-1000', 'cpu_us_per_update', '1,000 documents: processor time per update', micro],
  ['propagation-1-1500', 'p50_ms', '1 writer, 1,500 readers: p50', ms],
  ['propagation-1-1500', 'p95_ms', '1 writer, 1,500 readers: p95', ms],
  ['propagation-1-1500', 'p99_ms', '1 writer, 1,500 readers: p99', ms, { less: 4 }],
  ['propagation-1-1500', 'cpu_us_per_delivery', '1 writer, 1,500 readers: processor time per delivery', micro],
  ['propagation-200', 'p50_ms', '200 writers: p50', ms],
  ['propagation-200', 'p95_ms', '200 writers: p95', ms],
  ['propagation-200', 'p99_ms', '200 writers: p99', ms, { less: 4 }],
  ['propagation-200', 'cpu_us_per_delivery', '200 writers: processor time per delivery', micro],
  ['join-4MB', 'joins_per_second', '4 MB document, 150 clients at once: joins per second', count],
  ['join-4MB', 'p95_ms', '4 MB document, 150 clients at once: p95', ms],
  ['join-4MB', 'peak_bytes', '4 MB document, 150 clients at once: peak memory', bytes, { less: 10 }],
  ['join-20MB', 'joins_per_second', '20 MB document, 150 clients at once: joins per second', count],
  ['join-20MB', 'p95_ms', '20 MB document, 150 clients at once: p95', ms, { below: 2000 }],
  ['join-20MB', 'peak_bytes', '20 MB document, 150 clients at once: peak memory', bytes, { below: 500e6, less: 10 }],
  ['idle', 'per_connection_bytes', 'memory per idle connection', bytes, { less: 10 }],
  ['idle', 'per_document_bytes', 'memory per open document of 1 KB with its connection', bytes, { less: 10 }],
  ['cold-100000', 'ms', 'start with 100,000 documents stored, until one of them is there', ms],
]

function median(results, row, figure, server) {
  const found = results.filter((one) => one.row === row && one.server === server && one[figure] !== undefined).map((one) => one[figure]).sort((a, b) => a - b)
  return found.length === 0 ? undefined : (found[(found.length - 1) >> 1] + found[found.length >> 1]) / 2
}

/// {name, goal, got, met} for every goal of which both sides were measured.
export function goals(results) {
  const list = []
  for (const [row, figure, name, show, goal] of figures) {
    for (const own of ours) {
      const mine = median(results, row, figure, own)
      if (!goal || mine === undefined) continue
      for (const peer of peers) {
        const other = median(results, row, figure, peer)
        if (other === undefined || !(goal.more || goal.less)) continue
        const factor = goal.more ? mine / other : other / mine
        list.push({ name: `${name}, ${names[own].split(' ')[1]} against ${names[peer]}`, goal: `>= ${goal.more ?? goal.less}x`, got: `${factor.toFixed(1)}x`, met: factor >= (goal.more ?? goal.less) })
      }
      if (goal.below) list.push({ name: `${name}, ${names[own].split(' ')[1]}`, goal: `< ${show(goal.below)}`, got: show(mine), met: mine < goal.below })
    }
  }
  return list
}

export function markdown(report) {
  const used = Object.keys(names).filter((server) => report.results.some((one) => one.server === server))
  const rows = figures.filter(([row]) => report.results.some((one) => one.row === row)).map(([row, figure, name, show]) => [name, ...used.map((server) => {
    const value = median(report.results, row, figure, server)
    return value === undefined ? '-' : show(value)
  })])
  const reached = goals(report.results)
  const failed = report.results.filter((one) => one.error)
  return [
    `Made by \`./dev bench server --markdown docs/benchmarks.md\`; [bench/README.md](../bench/README.md) says what each row asks.`,
    `Machine: ${report.machine}.`,
    `Command: \`${report.command}\` (${report.seconds} s). Medians of the turns; the servers took turns, each on a fresh folder, and every text was checked by a fresh client.`,
    `Peers: y-websocket's server (@y/websocket-server ${report.versions['@y/websocket-server']}, in memory; with its LevelDB for the last row), Hocuspocus ${report.versions['@hocuspocus/server']} with its SQLite extension, both with yjs ${report.versions.yjs}. ` +
      'Ours has committed and fsynced an update before it relays it; theirs relay first, and store later or not at all.',
    ...(report.quick ? ['A quick run: fewer documents, connections and seconds than the names of the rows say.'] : []),
    layout(['', ...used.map((server) => names[server])], rows),
    ...(reached.length ? [`${reached.filter((one) => one.met).length} of ${reached.length} goals met.`, layout(['goal', 'must', 'got', ''], reached.map((one) => [one.name, one.goal, one.got, one.met ? 'met' : 'MISSED']))] : []),
    ...(failed.length ? [`What failed: ${failed.map((one) => `${one.row} ${names[one.server]}: ${one.error}`).join('; ')}.`] : []),
  ].join('\n\n')
}
