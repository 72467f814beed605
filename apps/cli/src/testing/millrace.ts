import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { run } from '../program.ts'

// Not that of the checkout, where the system of whoever runs the tests may have its secrets.
const surroundings = { MILLRACE_HOME: path.join(tmpdir(), 'millrace-of-nobody') }

/** What a command line came to. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command line in this process. Words are parted by a space. */
export async function millrace(
  line: string,
  env: NodeJS.ProcessEnv,
  options: { readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<Ended> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([readAll(out), readAll(err)])
  const code = await run(line.split(' '), {
    env: { ...surroundings, ...env },
    in: Readable.from([options.input ?? '']),
    out,
    err,
    signal: options.signal ?? new AbortController().signal,
  })
  out.end()
  err.end()
  const [stdout, stderr] = await texts
  return { code, stdout, stderr }
}

/** Runs one command line in a process of its own: what it imports is loaded by Node, not by the test runner. */
export function millraceProcess(line: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const program = path.join(import.meta.dirname, '../main.ts')
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [program, ...line.split(' ')],
      { env: { ...surroundings, ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}
