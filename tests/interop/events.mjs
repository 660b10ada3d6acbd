// What Yjs tells its observers, as JSON in the vocabulary of crdt-driver.
import * as Y from 'yjs'
import { toTagged } from './values.mjs'

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

/** One event of observeDeep on the root `name`. The delta goes by another name than in dumps, since neighbouring steps count here. */
export const described = (event, name, local) => ({
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
