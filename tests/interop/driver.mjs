// Speaks to bin/crdt-driver: one JSON object per line each way, answers in order.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Driver {
  constructor (program) {
    this.waiting = []
    this.child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.child.stdout }).on('line', line => this.waiting.shift().resolve(line))
    this.closed = new Promise(resolve => this.child.on('close', (code, signal) => {
      this.end = new Error(`crdt-driver ended early (${signal ?? code})`)
      for (const one of this.waiting) one.reject(this.end)
      resolve()
    }))
    this.child.stdin.on('error', () => {}) // its exit says more
  }

  /** The answers to `requests`, all of which are written at once: waiting for each would cost more than the work. */
  ask (requests) { return this.askLines(requests.map(request => JSON.stringify(request))) }

  /** The same for lines as they are: texts or bytes. */
  askLines (lines) {
    if (this.end) return Promise.allSettled(lines.map(() => Promise.reject(this.end)))
    const answers = lines.map(() => new Promise((resolve, reject) => this.waiting.push({ resolve, reject })))
    this.child.stdin.write(Buffer.concat(lines.flatMap(line => [Buffer.from(line), Buffer.from('\n')])))
    return Promise.allSettled(answers)
  }

  close () {
    this.child.stdin.end()
    return this.closed
  }
}

/** What will be asked, and what has to be answered: the Yjs half of a session runs ahead and leaves its answers here. */
export class Script {
  requests = []
  #expected = []

  /** `expected` holds the members that the answer must have; a member may be a function, which says what is wrong, or nothing. */
  ask (request, expected, what) {
    this.requests.push(request)
    this.#expected.push({ expected: { ok: true, ...expected }, what })
  }

  expectedOf (n) { return this.#expected[n].expected }

  /** Throws at the first answer that is not as expected. */
  async compare (driver) {
    const answers = await driver.ask(this.requests)
    answers.forEach((answer, n) => {
      const { expected, what } = this.#expected[n]
      const complain = text => {
        throw new Error(`request ${n} (${what}): ${text}\n  asked ${short(this.requests[n])}`)
      }
      if (answer.status === 'rejected') complain(answer.reason.message)
      const got = JSON.parse(answer.value)
      for (const [member, wanted] of Object.entries(expected)) {
        if (typeof wanted === 'function') {
          const wrong = wanted(got[member])
          if (wrong) complain(wrong)
        } else if (JSON.stringify(got[member]) !== JSON.stringify(wanted)) {
          complain(`${member} differs${got.error ? ` (${got.error})` : ''}\n  Yjs    ${short(wanted)}\n  engine ${short(got[member])}`)
        }
      }
    })
  }
}

const short = value => {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length} characters)` : text
}
