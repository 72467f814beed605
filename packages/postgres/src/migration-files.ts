import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Migration } from './migrate.ts'

/** Reads migrations from a directory of files named `0001-some-words.sql`; other files are left alone. */
export async function readMigrations(directory: URL): Promise<Migration[]> {
  const folder = fileURLToPath(directory)
  const files = (await readdir(folder)).filter((file) => /^\d+-.+\.sql$/.test(file)).sort()
  return await Promise.all(
    files.map(async (file) => ({
      version: Number.parseInt(file, 10),
      name: file.replace(/^\d+-/, '').replace(/\.sql$/, ''),
      sql: await readFile(path.join(folder, file), 'utf8'),
    })),
  )
}
