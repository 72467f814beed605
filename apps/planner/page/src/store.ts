import { computed, effect, signal, untracked } from '@preact/signals'
import { listAll, streamAddress } from './api.ts'
import { filters, isShown } from './filters.ts'
import type { Suggestion } from './suggestion.ts'

/** How the page is connected. */
export type Connection = 'connecting' | 'live' | 'lost'

/** All that was told, by id. */
export const known = signal<ReadonlyMap<string, Suggestion>>(new Map())
export const connection = signal<Connection>('connecting')
/** Nothing was read yet. */
export const isLoading = signal(true)
/** Why the list cannot be read. */
export const failure = signal<string | undefined>(undefined)
export const selected = signal<ReadonlySet<string>>(new Set())
/** The row in hand: it stays where it is, whatever becomes of it, until another one is. */
export const current = signal<string | undefined>(undefined)

/** The rows that are shown, in the order of their ids. */
export const rows = computed<readonly Suggestion[]>(() => {
  const shown = [...known.value.values()].filter(
    (suggestion) => suggestion.id === current.value || isShown(suggestion, filters.value),
  )
  return shown.sort((a, b) => (a.id < b.id ? -1 : 1))
})

/** Those of the selected that can be carried out and are shown: nothing is done to what a filter hides. */
export const chosen = computed(() =>
  rows.value.filter((suggestion) => selected.value.has(suggestion.id) && isOpen(suggestion)),
)

export function isOpen({ status }: Suggestion): boolean {
  return status === 'open' || status === 'snoozed'
}

/** Puts what is known of a suggestion in its place. */
export function learn(...suggestions: readonly Suggestion[]): void {
  const next = new Map(known.value)
  for (const one of suggestions) next.set(one.id, one)
  known.value = next
  const gone = suggestions.filter((one) => !isOpen(one) && selected.value.has(one.id))
  if (gone.length > 0)
    selected.value = new Set([...selected.value].filter((id) => !gone.some((one) => one.id === id)))
}

export function toggle(id: string): void {
  const next = new Set(selected.value)
  if (!next.delete(id)) next.add(id)
  selected.value = next
}

function forget(id: string): void {
  const next = new Map(known.value)
  next.delete(id)
  known.value = next
}

let reading: AbortController | undefined
let stream: EventSource | undefined

/** Forgets what is known, and reads the list of the chosen status. */
function readFirst(): Promise<void> {
  isLoading.value = true
  known.value = new Map()
  selected.value = new Set()
  return follow((page) => learn(...page))
}

/** Reads the list once more: what is known stays in sight until all of it has come. */
function readAgain(): Promise<void> {
  const read = new Map<string, Suggestion>()
  return follow(
    (page) => {
      for (const one of page) read.set(one.id, one)
    },
    () => {
      known.value = read
      selected.value = new Set([...selected.value].filter((id) => read.has(id)))
    },
  )
}

/** Reads the list, then follows what changes. */
async function follow(
  onPage: (page: readonly Suggestion[]) => void,
  onAll: () => void = () => undefined,
): Promise<void> {
  reading?.abort()
  stream?.close()
  const now = new AbortController()
  reading = now
  try {
    const feed = await listAll(filters.value.status, onPage, now.signal)
    onAll()
    isLoading.value = false
    failure.value = undefined
    listen(feed)
  } catch (error) {
    if (now.signal.aborted) return
    failure.value = error instanceof Error ? error.message : String(error)
    connection.value = 'lost'
    setTimeout(() => {
      if (reading === now) void readAgain()
    }, 3_000)
  }
}

function listen(feed: number): void {
  const source = new EventSource(streamAddress(feed))
  stream = source
  // News come in bursts: a frame shows all that have come.
  let waiting: Suggestion[] = []
  source.addEventListener('open', () => (connection.value = 'live'))
  source.addEventListener('ready', () => (connection.value = 'live'))
  // The browser connects again by itself, and says where it was.
  source.addEventListener('error', () => {
    connection.value = 'lost'
    if (source.readyState === EventSource.CLOSED)
      setTimeout(() => stream === source && void readAgain(), 3_000)
  })
  source.addEventListener('suggestion', ({ data }: MessageEvent<string>) => {
    if (waiting.length === 0)
      requestAnimationFrame(() => {
        learn(...waiting)
        waiting = []
      })
    waiting.push(JSON.parse(data) as Suggestion)
  })
  source.addEventListener('gone', ({ data }: MessageEvent<string>) => {
    const { id } = JSON.parse(data) as { id: string }
    waiting = waiting.filter((one) => one.id !== id)
    forget(id)
  })
  source.addEventListener('reset', () => void readAgain())
}

/** Begins, and begins anew whenever another status is chosen: other filters choose among what is known. */
export function begin(): void {
  const status = computed(() => filters.value.status)
  effect(() => {
    if (status.value) untracked(() => void readFirst())
  })
  effect(() => {
    // Whoever filters has no row in hand any more.
    if (filters.value) current.value = undefined
  })
}
