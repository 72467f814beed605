import { formatPosition } from '@millrace/log'
import type { DeadLetter } from '@millrace/processor'
import { maskText } from '@millrace/service'
import { exitCodes } from './exit-codes.ts'
import { groupsNamed, type KnownGroup, type LogSystem } from './log-system.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

const pageLetters = 100

/** `millrace dead ls`: what could not be processed, oldest first. Exit code 1 when there is any. */
export async function listDead(
  on: LogSystem,
  options: OutputOptions & { readonly topic: string; readonly group?: string; readonly limit: number },
  terminal: Terminal,
): Promise<number> {
  const found: (Omit<DeadLetter, 'stack' | 'id'> & { group: string; position: string })[] = []
  let more = false
  for (const known of groupsNamed(options.topic, options.group))
    for (let partition = 0; partition < known.topic.partitions; partition += 1)
      for await (const letter of lettersOf(on, known, partition)) {
        more = found.length >= options.limit
        if (more) break
        found.push(shown(letter, known, partition))
      }
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else if (found.length > 0) {
    const rows = found.map((one) => [
      one.group,
      one.position,
      new Date(one.atMs).toISOString(),
      one.key,
      one.type,
      one.reason,
      String(one.attempts),
      one.message,
    ])
    terminal.out.write(
      table([['GROUP', 'POSITION', 'GIVEN UP', 'KEY', 'TYPE', 'REASON', 'ATTEMPTS', 'ANSWER'], ...rows]),
    )
  }
  terminal.err.write(
    `${more ? 'More than ' : ''}${found.length} dead letter${found.length === 1 ? '' : 's'}.\n`,
  )
  return found.length === 0 ? exitCodes.ok : exitCodes.findings
}

async function* lettersOf(
  { groups }: LogSystem,
  { group, topic }: KnownGroup,
  partition: number,
): AsyncGenerator<DeadLetter> {
  for (let after = 0; ;) {
    const letters = await groups.deadLetters({ topic, partition, group }, { after, limit: pageLetters })
    yield* letters
    const last = letters.at(-1)
    if (!last || letters.length < pageLetters) return
    after = last.seq
  }
}

function shown(
  { id, seq, key, type, eventId, reason, message, attempts, details, atMs }: DeadLetter,
  { group, topic }: KnownGroup,
  partition: number,
) {
  const position = formatPosition({ topic: topic.name, partition, id, seq })
  const said = typeof details?.['answer'] === 'string' ? `${message}: ${details['answer']}` : message
  return { group, position, seq, key, type, eventId, reason, message: maskText(said), attempts, atMs }
}
