import type { Command } from 'commander'
import { MillraceError, scopeHeaders } from '@millrace/event'
import { exitCodes } from './exit-codes.ts'
import { webAddress } from './option-values.ts'
import type { Surroundings } from './program.ts'
import { refusalIn } from './refused-answer.ts'
import { findOperations } from './running-system.ts'

/** Adds `millrace log-level`. */
export function addLogLevel(program: Command, around: Surroundings, end: (code: number) => void): void {
  program
    .command('log-level [level]')
    .description('how much the services of a process log; with a level, set it until the process ends')
    .option(
      '--url <base>',
      'operations listener of the process. Default: OPS_PORT on this machine',
      webAddress,
    )
    .action(async (level: string | undefined, options: { url?: string }) =>
      end(await logLevel(level, options.url, around)),
    )
}

async function logLevel(level: string | undefined, url: string | undefined, around: Surroundings) {
  const operations = findOperations(around.env)
  const base = url ?? operations.url
  const answer = await ask(
    `${base}/log-level`,
    {
      method: level === undefined ? 'GET' : 'PUT',
      headers: {
        authorization: `Bearer ${operations.token}`,
        'content-type': 'application/json',
        ...scopeHeaders(),
      },
      signal: AbortSignal.any([around.signal, AbortSignal.timeout(5_000)]),
      ...(level === undefined ? {} : { body: JSON.stringify({ level }) }),
    },
    around.signal,
  )
  if (!answer.ok) throw await refusalIn(answer, base, 'CONSOLE_TOKEN')
  const { level: present } = await levelIn(answer, base, around.signal)
  around.out.write(`${present}\n`)
  return exitCodes.ok
}

/** @param stopped Of the command: who has ended it need not be told that nobody answers. */
async function ask(url: string, init: RequestInit, stopped: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    stopped.throwIfAborted()
    throw new MillraceError('service.unavailable', `${url} cannot be reached`, { cause })
  }
}

async function levelIn(
  answer: Response,
  who: string,
  stopped: AbortSignal,
): Promise<{ readonly level: string }> {
  try {
    return (await answer.json()) as { readonly level: string }
  } catch (cause) {
    stopped.throwIfAborted()
    throw new MillraceError('service.unavailable', `${who} gives no answer that can be read`, { cause })
  }
}
