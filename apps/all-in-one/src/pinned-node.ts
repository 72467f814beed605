import { existsSync } from 'node:fs'
import path from 'node:path'

/** The root of the checkout. */
export const projectRoot = path.resolve(import.meta.dirname, '../../..')

/** The Node that the lock file pins for this platform; the running one where there is none. */
export function pinnedNode(): string {
  const pinned = path.join(
    projectRoot,
    'node_modules',
    `node-${process.platform}-${process.arch}`,
    'bin/node',
  )
  return existsSync(pinned) ? pinned : process.execPath
}
