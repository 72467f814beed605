#!/usr/bin/env node
// Runs on any Node; the program itself runs on the pinned one, which strips types.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pinned = fileURLToPath(
  new URL(`../../../node_modules/node-${process.platform}-${process.arch}/bin/node`, import.meta.url),
)
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const node = existsSync(pinned) ? pinned : process.execPath
const { status, signal } = spawnSync(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? (signal === 'SIGINT' ? 130 : 143)
