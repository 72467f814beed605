import { inspect } from 'node:util'
import { type Event, MillraceError, type Topic, upcast } from '@millrace/event'
import { formatPosition, type Recorded } from '@millrace/log'
import { exitCodes } from './exit-codes.ts'
import { firstLine, type FoldFile, loadFold } from './fold-file.ts'
import { type LogSystem, topicNamed } from './log-system.ts'
import { progressOn, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'
import { wholeHistory } from './whole-history.ts'

/** `millrace fold`: runs a file's fold over everything that a topic has, and prints what came out. */
export async function foldTopic(
  on: Pick<LogSystem, 'log'>,
  file: string,
  options: OutputOptions & { readonly topic: string },
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const topic = topicNamed(options.topic)
  const loaded = await loadFold(file)
  const progress = progressOn(terminal, 'Folding')
  let [state, events] = [loaded.initial(), 0]
  try {
    const onProgress = (read: number, total: number): void => progress.update(read, total)
    for await (const recorded of wholeHistory(on.log, topic, { signal, onProgress })) {
      state = next(loaded, state, topic, recorded)
      events += 1
    }
  } catch (error) {
    if (!signal.aborted) throw error
    terminal.err.write(`Stopped after ${events} events; there is no result.\n`)
    return exitCodes.interrupted
  } finally {
    progress.end()
  }
  const result = resultOf(loaded, state)
  if (options.json) terminal.out.write(`${JSON.stringify(result, plain)}\n`)
  else terminal.out.write(`${typeof result === 'string' ? result : inspect(result, shownWhole)}\n`)
  terminal.err.write(`${events} events of ${topic.name}.\n`)
  return exitCodes.ok
}

const shownWhole = { depth: null, maxArrayLength: null, colors: false } as const

function next(file: FoldFile, state: unknown, topic: Topic, { event, position }: Recorded): unknown {
  let after: unknown
  try {
    after = file.fold(state, present(topic, event), position)
  } catch (cause) {
    throw new MillraceError(
      'fold.invalid',
      `fold failed at ${formatPosition(position)} (${event.type}): ${firstLine(cause)}`,
      { cause },
    )
  }
  if (after instanceof Promise) {
    // Nobody waits for it, so what it may still throw is of no interest.
    after.catch(() => undefined)
    throw new MillraceError('fold.invalid', 'fold must not be async: it answers the next state at once')
  }
  if (after === undefined)
    throw new MillraceError(
      'fold.invalid',
      `fold answered nothing at ${formatPosition(position)} (${event.type}): it must return the next state`,
    )
  return after
}

function resultOf(file: FoldFile, state: unknown): unknown {
  try {
    return file.result(state)
  } catch (cause) {
    throw new MillraceError('fold.invalid', `result failed: ${firstLine(cause)}`, { cause })
  }
}

/** At the present version of its type; what a newer program has written is handed over as it is. */
function present(topic: Topic, event: Event): Event {
  return Object.hasOwn(topic.types, event.type) ? upcast(topic, event) : event
}

/** Maps and sets as JSON can say them. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)]
  return value instanceof Set ? [...(value as Set<unknown>)] : value
}
