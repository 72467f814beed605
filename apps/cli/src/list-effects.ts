import { MillraceError, parseJson } from '@millrace/event'
import {
  deadEffectOf,
  type DeadEffect,
  effectFits,
  effectNoteOf,
  type GroupPartition,
  type OpenEffect,
  type RecordedEffect,
} from '@millrace/processor'
import { maskText } from '@millrace/service'
import { effectFilterOf, type EffectFilterOptions } from './effect-filters.ts'
import { exitCodes } from './exit-codes.ts'
import { partitionsNamed } from './group-partitions.ts'
import type { LogSystem } from './log-system.ts'
import { maskedData } from './masked-data.ts'
import { table, type Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** `millrace effects ls`: by default those that are dead, oldest first. Exit code 1 when there are dead ones. */
export async function listEffects(
  on: LogSystem,
  options: OutputOptions & EffectFilterOptions & { readonly limit: number; readonly status: OpenEffect },
  terminal: Terminal,
): Promise<number> {
  const found: ReturnType<typeof shownEffect>[] = []
  let more = false
  for (const at of partitionsNamed(options)) {
    if (more) break
    for await (const item of itemsOf(on, at, options)) {
      more = found.length >= options.limit
      if (more) break
      found.push(shownEffect(item, at))
    }
  }
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else if (found.length > 0) {
    const head = 'TOPIC,GROUP,EFFECT,ID,STATUS,GIVEN UP,KEY,REASON,CLASS,ATTEMPTS,MESSAGE'.split(',')
    const rows = found.map((one) => [
      one.topic,
      `${one.group}/${one.partition}`,
      one.name,
      one.idempotencyKey,
      one.status,
      one.atMs === null ? '-' : new Date(one.atMs).toISOString(),
      one.key,
      one.reason,
      one.class,
      String(one.attempts),
      one.message,
    ])
    terminal.out.write(table([head, ...rows]))
  }
  const count = `${more ? 'More than ' : ''}${found.length} ${options.status} effect${found.length === 1 ? '' : 's'}`
  terminal.err.write(`${count}.\n`)
  return options.status === 'dead' && found.length > 0 ? exitCodes.findings : exitCodes.ok
}

async function* itemsOf(
  { groups }: LogSystem,
  at: GroupPartition,
  options: EffectFilterOptions & { readonly limit: number; readonly status: OpenEffect },
): AsyncGenerator<DeadEffect> {
  const { status } = options
  const filter = effectFilterOf(options, Date.now())
  const limit = Math.min(options.limit + 1, 100)
  let after: string | undefined
  do {
    const place = { limit, ...(after === undefined ? {} : { after }) }
    if (status === 'dead') {
      const page = await groups.deadEffects(at, { ...place, filter })
      yield* page.items
      after = page.next
    } else {
      const page = await groups.pendingEffects(at, { ...place, status })
      yield* page.items.map(deadEffectOf).filter((item) => effectFits(item, filter))
      after = page.next
    }
  } while (after !== undefined)
}

/** An effect in the ledger, and where it is. */
export interface FoundEffect {
  readonly at: GroupPartition
  readonly effect: RecordedEffect
}

/**
 * The open effect of an idempotency key, in the groups that may have it.
 *
 * @throws MillraceError `repair.gone`, `request.invalid` when more than one has it
 */
export async function effectFound(
  { groups }: LogSystem,
  idempotencyKey: string,
  options: EffectFilterOptions,
): Promise<FoundEffect> {
  const found: FoundEffect[] = []
  for (const at of partitionsNamed(options)) {
    const effect = await groups.effectNamed(at, idempotencyKey)
    if (effect) found.push({ at, effect })
  }
  const [only, another] = found
  if (only && another)
    throw new MillraceError(
      'request.invalid',
      `${found.map(({ at }) => `${at.group}/${at.partition}`).join(' and ')} have it: add --group or --partition`,
    )
  if (!only) throw new MillraceError('repair.gone', `There is no open effect ${idempotencyKey}`)
  return only
}

/** `millrace effects show`: everything that is known of one, masked unless asked otherwise. */
export async function showEffect(
  on: LogSystem,
  idempotencyKey: string,
  options: OutputOptions & EffectFilterOptions & { readonly plain?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { at, effect } = await effectFound(on, idempotencyKey, options)
  const probe = { id: 'show', idempotencyKey, kind: 'requeued', by: 'show', reason: 'show' } as const
  const asked =
    effect.status === 'dead' ? await on.groups.ruleEffect(at, { ...probe, dryRun: true }) : undefined
  const mask = (text: string) => (options.plain ? text : maskText(text))
  const note = effectNoteOf(effect.note)
  const data = (payload: string) => (options.plain ? parseJson(payload) : maskedData(parseJson(payload)))
  const { original, ...ruling } = effect.ruling ?? {}
  const shown = {
    ...shownEffect(deadEffectOf(effect), at),
    turn: effect.turn,
    message: mask(note.message ?? ''),
    correlationId: effect.correlationId,
    causationId: effect.causationId,
    details: note.details ?? {},
    tries: (note.tries ?? []).map((one) => ({ ...one, error: mask(one.error) })),
    overtaken: asked?.status === 'ruled' ? (asked.overtaken ?? null) : null,
    ruling: effect.ruling ? ruling : null,
    original: original === undefined ? null : data(original),
    payload: data(effect.payload),
    stack: mask(note.stack ?? ''),
  }
  terminal.out.write(options.json ? `${JSON.stringify(shown)}\n` : `${JSON.stringify(shown, null, 2)}\n`)
  return exitCodes.ok
}

/** An effect as lists show it: addresses masked, without payload, stack and attempts. */
function shownEffect({ effect, atMs, reasonClass }: DeadEffect, { group, topic, partition }: GroupPartition) {
  const { idempotencyKey, name, key, seq, no, status } = effect
  const note = effectNoteOf(effect.note)
  return {
    topic: topic.name,
    group,
    partition,
    idempotencyKey,
    name,
    key,
    seq,
    no,
    status,
    reason: note.reason ?? '',
    class: status === 'dead' ? reasonClass : '',
    message: maskText(note.message ?? ''),
    attempts: note.attempts ?? 0,
    atMs: atMs === 0 ? null : atMs,
  }
}
