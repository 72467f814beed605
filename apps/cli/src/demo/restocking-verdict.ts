import type { Counts } from './restocking-seen.ts'

/** A count as it must be, and as it is. */
export interface Row {
  readonly name: string
  readonly expected: number
  readonly found: number
}

/** Counts by name, as they must be and as they are. */
interface Pair {
  readonly expected: Counts
  readonly found: Counts
}

/** What a day has come to, by what was done and by what the system says. */
export interface DayShown {
  /** By type. Of other types there may be any number: they are what the system made of these. */
  readonly events: Pair
  /** Suggestions that are open, by kind. */
  readonly suggested: Pair
  /** Dead letters, by reason. */
  readonly dead: Pair
  /** Events that the door has refused, by reason. */
  readonly refused: Pair
  /** Ids of suggestions that were carried out, and how many of them are completed, by whoever saw it first. */
  readonly carried: { readonly expected: number; readonly completed: number }
  /** Of each suggestion that was carried out there is one mail. Undefined: nobody has looked. */
  readonly mails: { readonly expected: number; readonly found: number; readonly twice: number } | undefined
  /** Suggestions that are other than the rules say, a sentence each. */
  readonly suggestions: readonly string[]
}

/** What must be equal, and what is not, a sentence each: none is the only good verdict. */
export function verdictOn(shown: DayShown): {
  readonly rows: readonly Row[]
  readonly differences: readonly string[]
} {
  const { events, suggested, dead, refused, carried, mails, suggestions } = shown
  const rows = [
    ...rowsOf('', events, Object.keys(events.expected)),
    ...rowsOf('suggested: ', suggested),
    ...rowsOf('dead letters: ', dead),
    ...rowsOf('refused at the door: ', refused),
    { name: 'clicks completed', expected: carried.expected, found: carried.completed },
    ...(mails === undefined
      ? []
      : [
          { name: 'mails sent', expected: mails.expected, found: mails.found },
          { name: 'mails sent twice', expected: 0, found: mails.twice },
        ]),
  ]
  const wrong = rows.filter(({ expected, found }) => expected !== found)
  return {
    rows,
    differences: [
      ...wrong.map(({ name, expected, found }) => `${name}: ${found}, not ${expected}`),
      ...suggestions,
    ],
  }
}

function rowsOf(
  prefix: string,
  { expected, found }: Pair,
  names: readonly string[] = [...Object.keys(expected), ...Object.keys(found)],
): readonly Row[] {
  return [...new Set(names)]
    .toSorted()
    .map((name) => ({ name: `${prefix}${name}`, expected: expected[name] ?? 0, found: found[name] ?? 0 }))
}
