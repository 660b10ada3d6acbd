// What a proof measured, as a table for people.

const seconds = (ms) => (ms / 1000).toFixed(2).padStart(7) + ' s';
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ',');

/// A table of columns whose widths fit; the first column is aligned left, the others right.
export function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  return rows.map((row) => row.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('   ').trimEnd());
}

/// The lines of the table for the figures that `Proof.figures()` gives.
export function table(workspace, figures) {
  const devices = figures.first_sync.map(({device, kind, ms}) => [
    device, kind === 'plugin' ? 'wasm plugin' : 'native', device === figures.first_sync[0].device ? 'import' : 'join', seconds(ms),
  ]);
  const spread = ({p50_ms, p95_ms, max_ms}) => [p50_ms, p95_ms, max_ms].map((ms) => ms === null ? '-' : ms.toFixed(1));
  return [
    `workspace   ${workspace}: ${grouped(figures.imported_files)} files` +
      (figures.added_files > 0 ? ` (${figures.added_files} of the proof's own)` : '') + `, ${grouped(figures.imported_bytes)} bytes; ` +
      `at the end ${grouped(figures.final_files)} files, ${grouped(figures.final_bytes)} bytes`,
    '',
    ...columns([['device', 'kind', 'first sync', 'time'], ...devices]),
    '',
    ...columns([
      [`propagation of a live edit (ms), ${figures.live_edits} edits`, 'p50', 'p95', 'max'],
      ['all pairs', ...spread(figures.propagation)],
      ...figures.propagation_by_pair.map((pair) => [`${pair.from} to ${pair.to}`, ...spread(pair)]),
    ]),
    '',
    ...columns([['step', 'until all were equal'], ...figures.steps.map(({name, ms}) => [name, seconds(ms)])]),
  ];
}
