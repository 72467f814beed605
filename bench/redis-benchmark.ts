import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { projectRoot } from '../apps/all-in-one/src/pinned-node.ts'
import { findRedis } from '../apps/all-in-one/src/servers/redis-binary.ts'

/** Runs redis-benchmark with one command and answers the requests a second that it reports. */
export async function redisBenchmark(
  port: number,
  options: { readonly requests: number; readonly pipeline: number },
  command: readonly string[],
): Promise<number> {
  const binary = await findRedis(path.join(projectRoot, '.cache/redis'), console.error)
  const program = binary.command.replace(/(redis|valkey)-server$/, '$1-benchmark')
  const args = ['-h', '127.0.0.1', '-p', String(port), '-n', String(options.requests)]
  args.push('-P', String(options.pipeline), '--csv', ...command)
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...binary.env } })
  // The last line: the command in quotes (and its quotes as they are), requests a second, six latencies.
  const perSecond = Number(/"([\d.]+)"(?:,"[\d.]+"){6}\s*$/.exec(stdout)?.[1])
  if (!(perSecond > 0)) throw new Error(`redis-benchmark said: ${stdout}`)
  return perSecond
}
