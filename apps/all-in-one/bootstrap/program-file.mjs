import { closeSync, openSync, readSync, realpathSync } from 'node:fs'
import path from 'node:path'

/**
 * The JavaScript file behind a program of node_modules/.bin, so that the pinned Node can run it.
 *
 * @param {string} root
 * @param {string} name
 * @returns {string | undefined} undefined for a program that is no JavaScript, or not there
 */
export function programFile(root, name) {
  try {
    const file = realpathSync(path.join(root, 'node_modules/.bin', path.basename(name)))
    const head = Buffer.alloc(40)
    const descriptor = openSync(file, 'r')
    readSync(descriptor, head)
    closeSync(descriptor)
    return /^#!.*\bnode\b/.test(head.toString('latin1')) ? file : undefined
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}
