import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../page/', import.meta.url))
const manifest = fileURLToPath(new URL('../package.json', import.meta.url))

/**
 * Builds the page with Vite, unless it was built from the same sources before. Answers the directory with its files.
 *
 * @param cache Where built pages are kept; any number of processes may use it at once.
 */
export async function buildPage(cache: string): Promise<string> {
  const target = path.join(cache, await digestOfSources())
  if (existsSync(target)) return target
  const unfinished = `${target}.${process.pid}`
  const { build } = await import('vite')
  await build({
    root: source,
    configFile: false,
    logLevel: 'error',
    base: '/',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { outDir: unfinished, emptyOutDir: true, modulePreload: false, assetsInlineLimit: 0 },
  })
  await mkdir(cache, { recursive: true })
  await rename(unfinished, target).catch(async (error: unknown) => {
    // Another process has been first.
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  })
  return target
}

async function digestOfSources(): Promise<string> {
  const names = (await readdir(source, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
  const hash = createHash('sha256')
  for (const name of [manifest, ...names])
    hash.update(`${path.relative(source, name)}\0`).update(await readFile(name))
  return hash.digest('hex').slice(0, 32)
}
