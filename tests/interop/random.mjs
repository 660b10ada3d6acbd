// A seeded source of choices: the same seed gives the same session on every machine.

export class Random {
  #state

  constructor (seed) { this.#state = seed | 0 }

  /** In [0, 1). mulberry32: small, and good enough to choose edits. */
  next () {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below (n) { return Math.floor(this.next() * n) }
  pick (list) { return list[this.below(list.length)] }
  chance (probability) { return this.next() < probability }
  some (list, probability) { return list.filter(() => this.chance(probability)) }
}
