/** One operation of one client, as the client saw it. Times are of one monotonic clock. */
export interface Operation {
  readonly account: string
  readonly action: 'create' | 'change' | 'release'
  /** What was asked for; absent for a release. */
  readonly value?: string
  readonly start: number
  readonly end: number
  /** `unknown`: no answer came, also not to the repeats; it may have happened, or still happen. */
  readonly result: 'ok' | 'claimed' | 'failed' | 'unknown'
}

/** A time during which an account held a value. */
interface Span {
  readonly account: string
  readonly from: number
  readonly to: number
}

/** A contradiction in a history: something that no sound guard could have answered. */
export interface Violation {
  readonly kind: 'two-owners' | 'refused-without-owner'
  readonly value: string
  readonly accounts: readonly string[]
  readonly at: number
}

/**
 * Looks for contradictions in what clients saw of unique values. An account is used by one client at a time, so its
 * operations follow one another. A value is surely held from the end of the grant to the start of what may end it,
 * and may be held from the start of the grant to the end of what surely ended it: two sure spans must not overlap,
 * and whoever was told "claimed" must have met somebody's possible span.
 */
export function checkHistory(history: readonly Operation[]): readonly Violation[] {
  const sure = new Map<string, Span[]>()
  const possible = new Map<string, Span[]>()
  for (const [account, operations] of Map.groupBy(history, (operation) => operation.account))
    spansOf(account, operations, sure, possible)
  return [...overlaps(sure), ...unfounded(history, possible)]
}

function spansOf(
  account: string,
  operations: readonly Operation[],
  sure: Map<string, Span[]>,
  possible: Map<string, Span[]>,
): void {
  // Values that may be held now: since when, and since when for sure (if at all).
  const held = new Map<string, { from: number; surely: number | undefined }>()
  const letGo = (value: string, mayEnd: number, hasEnded: number) => {
    const holding = held.get(value)
    if (!holding) return
    held.delete(value)
    if (holding.surely !== undefined && holding.surely < mayEnd)
      add(sure, value, { account, from: holding.surely, to: mayEnd })
    add(possible, value, { account, from: holding.from, to: hasEnded })
  }
  for (const { action, value, start, end, result } of operations.toSorted((a, b) => a.start - b.start)) {
    if (result === 'claimed' || result === 'failed') continue
    const others = [...held.keys()].filter((name) => name !== value)
    if (result === 'ok') {
      for (const other of others) letGo(other, start, end)
      if (value !== undefined && action !== 'release')
        held.set(value, { from: held.get(value)?.from ?? start, surely: held.get(value)?.surely ?? end })
      continue
    }
    // Unknown: what was held may be gone from now on, what was asked for may be held from now on.
    for (const other of others) {
      const holding = held.get(other)
      if (holding?.surely !== undefined && holding.surely < start)
        add(sure, other, { account, from: holding.surely, to: start })
      if (holding) held.set(other, { from: holding.from, surely: undefined })
    }
    if (value !== undefined && !held.has(value)) held.set(value, { from: start, surely: undefined })
  }
  for (const value of held.keys()) letGo(value, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
}

function add(spans: Map<string, Span[]>, value: string, span: Span): void {
  const list = spans.get(value)
  if (list) list.push(span)
  else spans.set(value, [span])
}

function overlaps(sure: ReadonlyMap<string, readonly Span[]>): Violation[] {
  const found: Violation[] = []
  for (const [value, spans] of sure) {
    let last: Span | undefined
    for (const span of spans.toSorted((a, b) => a.from - b.from)) {
      if (last && last.account !== span.account && span.from < last.to)
        found.push({ kind: 'two-owners', value, accounts: [last.account, span.account], at: span.from })
      if (!last || span.to > last.to) last = span
    }
  }
  return found
}

function unfounded(
  history: readonly Operation[],
  possible: ReadonlyMap<string, readonly Span[]>,
): Violation[] {
  return history.flatMap((operation): Violation[] => {
    if (operation.result !== 'claimed' || operation.value === undefined) return []
    const { account, value, start, end } = operation
    const met =
      possible.get(value)?.some((span) => span.account !== account && span.from <= end && span.to >= start) ??
      false
    return met ? [] : [{ kind: 'refused-without-owner', value, accounts: [account], at: start }]
  })
}
