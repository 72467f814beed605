#!/usr/bin/env node
// Runs on any Node; the program itself runs on the pinned one, which strips types.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const pinned = fileURLToPath(
  new URL(`../../../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
)
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const node = existsSync(pinned) ? pinned : process.execPath
const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' })
// Who is sent away ends what it has started, and waits for it: from a terminal both hear of it, else this one alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})
