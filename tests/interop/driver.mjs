// Speaks to bin/crdt-driver: one JSON object per line each way, answers in order.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Driver {
  constructor (program) {
    this.child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.waiting = []
    createInterface({ input: this.child.stdout }).on('line', line => this.waiting.shift().resolve(JSON.parse(line)))
    this.child.on('exit', (code, signal) => {
      for (const one of this.waiting) one.reject(new Error(`crdt-driver ended early (${signal ?? code})`))
    })
  }

  ask (request) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.child.stdin.write(JSON.stringify(request) + '\n')
    })
  }

  /** The answer, which must be `ok`. */
  async must (request) {
    const answer = await this.ask(request)
    if (!answer.ok) throw new Error(`crdt-driver refused ${JSON.stringify(request)}: ${answer.error}`)
    return answer
  }

  close () {
    this.child.stdin.end()
    return new Promise(resolve => this.child.on('close', resolve))
  }
}
