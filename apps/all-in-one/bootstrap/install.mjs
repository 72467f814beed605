import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { acquireLock } from './install-lock.mjs'
import { fulfils } from './installed-already.mjs'
import { runChild } from './run-child.mjs'
import { Sentence } from './sentence.mjs'

/**
 * Sees to it that node_modules holds what package-lock.json pins. One install serves start and test alike.
 *
 * @param {string} root the checkout
 * @returns {Promise<string>} the Node to go on with: the pinned one, or the running one where that cannot run
 */
export async function ensureInstalled(root) {
  const lockText = readFileSync(path.join(root, 'package-lock.json'), 'utf8')
  const platform = `${process.platform}-${process.arch}`
  const hash = createHash('sha256').update(`${platform}\n${lockText}`).digest('hex')
  const stampFile = path.join(root, 'node_modules/.millrace-stamp.json')
  let stamp = readJson(stampFile)
  if (stamp?.hash !== hash) {
    const lock = await acquireLock(path.join(root, '.cache/install-lock'), () =>
      console.error('Another start is installing; waiting for it.'),
    )
    try {
      stamp = readJson(stampFile)
      if (stamp?.hash !== hash) {
        await install(root, JSON.parse(lockText), lock.share)
        stamp = { hash, node: pinnedNodeRuns(root, platform) ? 'pinned' : 'running' }
        writeFileSync(stampFile, JSON.stringify(stamp))
      }
    } finally {
      lock.release()
    }
  }
  return stamp.node === 'pinned' ? pinnedNode(root, platform) : runningNode(platform)
}

async function install(root, lock, started) {
  // Somebody may have run npm himself: `npm install <package>` leaves node_modules just as npm ci would.
  if (fulfils(lock, readJson(path.join(root, 'node_modules/.package-lock.json')))) return
  console.error('Installing what package-lock.json pins; this takes a minute the first time.')
  const npm = process.env.npm_execpath ?? ''
  // npm's own Node, not ours: below npm, `node` means the pinned one, which `npm ci` is about to remove.
  const npmNode = process.env.npm_node_execpath ?? process.execPath
  const [command, first] = path.basename(npm).startsWith('npm-cli') ? [npmNode, [npm]] : ['npm', []]
  // Whatever NODE_ENV and npm's settings say: with a part left out, the stamp would not be true.
  const what = ['ci', '--prefix', root, '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  // Its warnings are about the running Node, which is not the one that the packages will run on.
  what.push('--loglevel=error')
  // npm's output is progress; stdout is for data.
  const code = await runChild(command, [...first, ...what], endingWithUs(), ['ignore', 2, 2], started)
  if (code !== 0) throw new Sentence(`npm ci failed (exit code ${code}); what it says is above.`, code)
}

/** An `npm ci` that goes on when we have been killed would take node_modules from under the next start. */
function endingWithUs() {
  const preload = new URL('end-with-parent.mjs', import.meta.url).href
  const options = `${process.env.NODE_OPTIONS ?? ''} --import=${preload}`.trim()
  return { ...process.env, NODE_OPTIONS: options, MILLRACE_PARENT_PID: String(process.pid) }
}

function pinnedNode(root, platform) {
  return path.join(root, `node_modules/node-${platform}/bin/node`)
}

/** The pinned Node may be there and yet not run: it wants glibc, and Alpine has another C library. */
function pinnedNodeRuns(root, platform) {
  const node = pinnedNode(root, platform)
  return existsSync(node) && spawnSync(node, ['--version']).status === 0
}

function runningNode(platform) {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  throw new Sentence(
    `There is no pinned Node for this machine (${platform}), and the running one (${process.versions.node}) ` +
      'is too old to go on with: start with Node 24 or later.',
  )
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    // Half-written counts as not there: it is made anew.
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
