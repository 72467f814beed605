import { MillraceError, partitionOfKey } from '@millrace/event'
import type { GroupPartition, ShadowChange, WithheldEffect } from '@millrace/processor'
import { exitCodes } from './exit-codes.ts'
import { groupOf, type NamedGroup, type ProcessorOptions } from './known-processors.ts'
import type { ShadowSystem } from './shadow-program.ts'
import { table, type Terminal } from './terminal.ts'

/** Who orders something, why, and whether it is meant. */
export interface OrderedOptions extends ProcessorOptions {
  readonly actor: string
  readonly reason: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** Options of `millrace shadow promote`, `demote` and `forget`. */
export interface PromoteOptions extends OrderedOptions {
  readonly key?: readonly string[]
  readonly percent?: number
}

/** `millrace shadow promote|demote|forget`: says whose effects are carried out. */
export async function promoteKeys(
  { store }: ShadowSystem,
  what: 'promote' | 'demote' | 'forget',
  name: string,
  options: PromoteOptions,
  terminal: Terminal,
): Promise<number> {
  const group = await groupOf(name, options)
  const { key: keys = [], yes = false } = options
  const percent = what === 'demote' && keys.length === 0 ? (options.percent ?? 0) : options.percent
  if ((keys.length === 0) === (percent === undefined))
    throw new MillraceError('request.invalid', 'Say either --key or --percent')
  const promoted = what === 'forget' ? undefined : what === 'promote'
  const changes = partitionsOf(group).flatMap((at): { at: GroupPartition; change: ShadowChange }[] => {
    const named = keys.filter((key) => partitionOfKey(group.topic, key) === at.partition)
    const said = { by: options.actor, reason: options.reason }
    if (percent !== undefined) return [{ at, change: { percent, ...said } }]
    return named.length === 0
      ? []
      : [{ at, change: { keys: named.map((key) => ({ key, promoted })), ...said } }]
  })
  if (yes) for (const { at, change } of changes) await store.setShadow(at, change)
  const whom = percent === undefined ? keys.join(', ') : `${percent} % of all keys`
  const told = what === 'forget' ? 'follow the percentage again' : 'are carried out'
  const words = what === 'demote' && percent === undefined ? 'are withheld' : told
  if (options.json) terminal.out.write(`${JSON.stringify({ what, group: name, keys, percent, done: yes })}\n`)
  terminal.err.write(
    yes
      ? `From the next second on, effects of ${whom} ${words}. What was withheld stays so.\n`
      : `Would have effects of ${whom} ${told === words ? told : words}. Nothing was done. Add --yes to do it.\n`,
  )
  return exitCodes.ok
}

/** `millrace shadow status`: whose effects are carried out, and how many are withheld. */
export async function shadowStatus(
  { store }: ShadowSystem,
  name: string,
  options: ProcessorOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const found = await Promise.all(
    partitionsOf(await groupOf(name, options)).map(async (at) => {
      const [{ no, percent, keys }, { counters }] = await Promise.all([store.shadow(at), store.audit(at)])
      const named = [...keys].map(([key, promoted]) => ({ key, promoted }))
      const { recorded, withheld, forgotten } = counters.effects
      return { partition: at.partition, no, percent, keys: named, recorded, withheld, forgotten }
    }),
  )
  if (options.json) terminal.out.write(`${JSON.stringify(found)}\n`)
  else {
    const rows = found.map(({ partition, percent, keys, recorded, withheld }) => [
      String(partition),
      percent === undefined ? 'as the processor says' : `${percent} %`,
      keys.map(({ key, promoted }) => `${promoted ? '+' : '-'}${key}`).join(' ') || '-',
      `${withheld} of ${recorded}`,
    ])
    terminal.out.write(table([['PARTITION', 'PROMOTED', 'BY NAME', 'WITHHELD EFFECTS'], ...rows]))
  }
  return exitCodes.ok
}

/** `millrace shadow withheld`: effects that were recorded and not carried out. */
export async function listWithheld(
  { store }: ShadowSystem,
  name: string,
  options: ProcessorOptions & { readonly key?: string; readonly limit: number; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { key, limit } = options
  const group = await groupOf(name, options)
  const places = partitionsOf(group).filter(
    ({ partition }) => key === undefined || partitionOfKey(group.topic, key) === partition,
  )
  const found: WithheldEffect[] = []
  for (const at of places)
    for (let after: string | undefined; found.length < limit;) {
      const page = await store.withheldEffects(at, after === undefined ? {} : { after })
      found.push(...page.items.filter((one) => key === undefined || one.key === key))
      if (page.next === undefined) break
      after = page.next
    }
  const shown = found.slice(0, limit)
  if (options.json) terminal.out.write(`${JSON.stringify(shown)}\n`)
  else if (shown.length > 0) {
    const rows = shown.map((one) => [one.idempotencyKey, one.name, one.key, String(one.seq)])
    terminal.out.write(table([['ID', 'EFFECT', 'KEY', 'EVENT'], ...rows]))
  }
  return exitCodes.ok
}

/** `millrace shadow release|ignore`: what becomes of effects that were withheld. */
export async function settleWithheld(
  { store }: ShadowSystem,
  to: 'released' | 'ignored',
  name: string,
  options: OrderedOptions & { readonly id: readonly string[] },
  terminal: Terminal,
): Promise<number> {
  const { id: ids, actor: by, reason, yes = false } = options
  const places = partitionsOf(await groupOf(name, options))
  let moved = 0
  if (yes)
    for (const at of places) {
      const results = await store.settleWithheld(at, { ids, to, by, reason })
      moved += results.filter((result) => result === 'moved').length
    }
  if (options.json) terminal.out.write(`${JSON.stringify({ to, ids, moved, done: yes })}\n`)
  const what = to === 'released' ? 'be carried out' : 'never be carried out'
  terminal.err.write(
    yes
      ? `${moved} of ${ids.length} withheld effects will ${what}.\n`
      : `Would have ${ids.length} withheld effects ${what}. Nothing was done. Add --yes to do it.\n`,
  )
  return yes && moved < ids.length ? exitCodes.findings : exitCodes.ok
}

function partitionsOf({ name, topic }: NamedGroup): readonly GroupPartition[] {
  return Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition, group: name }))
}
