// The first thing that runs, on whatever Node (20 or later) the machine has, without any dependency:
// installs what package-lock.json pins if that is not there yet, then goes on under the pinned Node.
//
//   start [args…]        the whole system (apps/all-in-one/src/supervisor.ts)
//   test [args…]         the tests
//   run <command> […]    a script or a program of node_modules/.bin; scripts of package.json use it
import { existsSync } from 'node:fs'
import path from 'node:path'
import { ensureInstalled } from './bootstrap/install.mjs'
import { programFile } from './bootstrap/program-file.mjs'
import { runChild } from './bootstrap/run-child.mjs'
import { Sentence } from './bootstrap/sentence.mjs'

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..')
const [verb, ...args] = process.argv.slice(2)

try {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20)
    throw new Sentence(`Node ${process.versions.node} is too old: Millrace needs 20 or later to start.`)
  const node = await ensureInstalled(root)
  process.exitCode = await runChild(...commandOf(node), environment(node))
} catch (error) {
  if (!(error instanceof Sentence)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}

/** @param {string} node */
function commandOf(node) {
  // What is started this way ends when this process is gone, even by SIGKILL.
  const watch = ['--import', path.join(root, 'apps/all-in-one/bootstrap/end-with-parent.mjs')]
  if (verb === 'start') return [node, [path.join(root, 'apps/all-in-one/src/supervisor.ts'), ...args]]
  if (verb === 'test') return [node, [...watch, programFile(root, 'vitest'), 'run', ...args]]
  if (verb === 'run' && args[0] === 'node') return [node, [...watch, ...args.slice(1)]]
  if (verb === 'run' && args.length > 0) {
    const file = existsSync(args[0]) ? path.resolve(args[0]) : programFile(root, args[0])
    return file === undefined ? [args[0], args.slice(1)] : [node, [...watch, file, ...args.slice(1)]]
  }
  throw new Sentence('Say what to do: start, test, or run <command>. See docs/setting-up.md.', 2)
}

/** @param {string} node */
function environment(node) {
  const places = [path.join(root, 'node_modules/.bin'), path.dirname(node), process.env.PATH ?? '']
  return { ...process.env, PATH: places.join(path.delimiter), MILLRACE_PARENT_PID: String(process.pid) }
}
