import { signal } from '@preact/signals'
import { carryOut, carryOutMany, decide, read } from './api.ts'
import { chosen, known, learn, selected } from './store.ts'
import type { Suggestion } from './suggestion.ts'

/** What was said last, for everybody to hear. */
export const notice = signal<{ readonly text: string; readonly bad: boolean } | undefined>(undefined)
/** What is asked for before it is done. */
export const asked = signal<readonly Suggestion[] | undefined>(undefined)
/** What will be done unless it is taken back. */
export const pending = signal<
  { readonly rows: readonly Suggestion[]; readonly secondsLeft: number } | undefined
>(undefined)
/** How far several are. */
export const progress = signal<{ readonly done: number; readonly of: number } | undefined>(undefined)
/** What became of each, by id. */
export const results = signal<ReadonlyMap<string, string>>(new Map())

const undoSeconds = 5
const atOnce = 20
let countdown: ReturnType<typeof setInterval> | undefined

// Who leaves now would leave it undone.
addEventListener('beforeunload', (event) => {
  if (pending.value ?? progress.value) event.preventDefault()
})

/** Asks whether to carry out what is selected, or one. */
export function ask(rows: readonly Suggestion[] = chosen.value): void {
  if (rows.length > 0) asked.value = rows
}

/** The answer is yes: several can be taken back for some seconds, one begins at once. */
export function confirm(): void {
  const rows = asked.value ?? []
  asked.value = undefined
  const [only] = rows
  if (rows.length === 1 && only) void one(only)
  else if (rows.length > 1) {
    pending.value = { rows, secondsLeft: undoSeconds }
    countdown = setInterval(() => {
      const now = pending.value
      if (!now) return
      if (now.secondsLeft > 1) pending.value = { ...now, secondsLeft: now.secondsLeft - 1 }
      else {
        takeBack()
        void several(now.rows)
      }
    }, 1_000)
  }
}

/** Nothing of what is pending is done. */
export function takeBack(): void {
  clearInterval(countdown)
  pending.value = undefined
}

async function one(suggestion: Suggestion): Promise<void> {
  const begun: Suggestion = { ...suggestion, status: 'in-progress' }
  forgetResults([suggestion])
  learn(begun)
  try {
    const now = await carryOut(suggestion.id)
    learn(now)
    say(`${suggestion.order}, line ${suggestion.line}: ${now.status === 'completed' ? 'done' : 'under way'}.`)
  } catch (error) {
    // What it was before is restored only where nothing newer is known.
    if (!(await learnAnew(suggestion.id)) && known.value.get(suggestion.id) === begun) learn(suggestion)
    fail(suggestion, error)
  }
}

/** Reads how one stands now. Answers whether that could be known. */
async function learnAnew(id: string): Promise<boolean> {
  const now = await read(id).catch(() => undefined)
  if (now) learn(now)
  return now !== undefined
}

async function several(rows: readonly Suggestion[]): Promise<void> {
  progress.value = { done: 0, of: rows.length }
  forgetResults(rows)
  const left = new Set(rows.map(({ id }) => id))
  const countText = () => `${rows.length - left.size} of ${rows.length} carried out`
  try {
    for (let from = 0; from < rows.length; from += atOnce) {
      const part = rows.slice(from, from + atOnce)
      const answers = await carryOutMany(part.map(({ id }) => id))
      const next = new Map(results.value)
      for (const { id, problem } of answers)
        if (problem) next.set(id, problem.detail)
        else left.delete(id)
      results.value = next
      progress.value = { done: from + part.length, of: rows.length }
    }
    say(`${countText()}${left.size > 0 ? '; see the others for the reason' : ''}.`, left.size > 0)
  } catch (error) {
    say(`${countText()}, then it broke off: ${textOf(error)}`, true)
  } finally {
    progress.value = undefined
    // What is not known to be done stays selected: it can be asked for once more.
    const done = new Set(rows.map(({ id }) => id).filter((id) => !left.has(id)))
    selected.value = new Set([...selected.value].filter((id) => !done.has(id)))
  }
}

export async function dismiss(suggestion: Suggestion): Promise<void> {
  await act(suggestion, 'dismiss', 'dismissed')
}

export async function snooze(suggestion: Suggestion): Promise<void> {
  const until = new Date(Date.now() + 7 * 86_400_000).toISOString()
  await act(suggestion, 'snooze', 'snoozed for a week', { until })
}

export async function reopen(suggestion: Suggestion): Promise<void> {
  await act(suggestion, 'reopen', 'open again')
}

export async function mailAgain(suggestion: Suggestion): Promise<void> {
  await act(suggestion, 'attention', 'the mail is tried again', { action: 'retry' })
}

export async function settle(suggestion: Suggestion): Promise<void> {
  await act(suggestion, 'attention', 'settled', { action: 'settle' })
}

async function act(
  suggestion: Suggestion,
  action: Parameters<typeof decide>[1],
  done: string,
  body?: object,
): Promise<void> {
  forgetResults([suggestion])
  try {
    learn(await decide(suggestion.id, action, body))
    say(`${suggestion.order}, line ${suggestion.line}: ${done}.`)
  } catch (error) {
    await learnAnew(suggestion.id)
    fail(suggestion, error)
  }
}

function fail({ id, order, line }: Suggestion, error: unknown): void {
  const text = textOf(error)
  results.value = new Map([...results.value, [id, text]])
  say(`${order}, line ${line}: ${text}`, true)
}

/** What became of an earlier try says nothing of the next one. */
function forgetResults(rows: readonly Suggestion[]): void {
  const next = new Map(results.value)
  for (const { id } of rows) next.delete(id)
  results.value = next
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function say(text: string, bad = false): void {
  notice.value = { text, bad }
}
