import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

/** Prometheus and its tool, as Debian's package `prometheus` has them; absent ones fail a test in CI alone. */
export const prometheus = whereIs('prometheus')
export const promtool = whereIs('promtool')
export const prometheusIsThere =
  (prometheus !== undefined && promtool !== undefined) || process.env['CI'] === 'true'

function whereIs(program: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(path.delimiter)
  return [...directories, '/usr/bin'].map((one) => path.join(one, program)).find((file) => existsSync(file))
}

/** Runs promtool. Answers what it says, and throws with it when it finds a fault. */
export async function runPromtool(...args: string[]): Promise<string> {
  if (promtool === undefined) throw new Error('promtool is not there: install the package prometheus')
  const { stdout, stderr } = await promisify(execFile)(promtool, args, { timeout: 590_000 })
  return stdout + stderr
}
