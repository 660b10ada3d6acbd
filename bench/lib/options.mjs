// The words after ./dev bench NAME. Numbers, lists, files and switches by name; what is not understood ends the program with a sentence.
import path from 'node:path'

const caller = process.env.DX_CALLER_DIR ?? process.cwd()

export function refuse(why) {
  console.error(`bench: ${why}`)
  process.exit(2)
}

/** `defaults` has a value for each option that is understood; `kinds` says how each is read: number, list, file or switch. */
export function readOptions(words, defaults, kinds, place) {
  const options = { ...defaults }
  for (let i = 0; i < words.length; i++) {
    const name = words[i].startsWith('--') ? words[i].slice(2) : ''
    const kind = kinds[name] ?? refuse(`there is no option ${words[i]}; the head of ${place} lists them`)
    const value = () => words[++i] ?? refuse(`--${name} needs a value`)
    if (kind === 'switch') options[name] = true
    else if (kind === 'number') options[name] = Number(value())
    else if (kind === 'list') options[name] = value().split(',')
    else if (kind === 'file') options[name] = path.resolve(caller, value())
  }
  return options
}
