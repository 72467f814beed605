import { describe, expect, test } from 'vitest'

/** A promise of a script that breaks when its guard is taken out: throws where it is broken. */
export type GuardScenario<Context> = (context: Context) => Promise<void>

/** A place to run scenarios in, with the script that it was given. */
export interface GuardBench<Context> {
  readonly context: Context
  close(): Promise<void>
}

const marker = /^(.*?)-- guard: ([^;\n]+?)(?:; without: (.*))?$/

/**
 * Names of the guards that a script marks.
 *
 * A guard is a line that ends in `-- guard: <name>`; without it the line is gone, or replaced by what follows
 * `; without:`. A marker on a line of its own stands for the statement after it: a line, or a block up to its `end`.
 */
export function guardsOf(source: string): readonly string[] {
  return source.split('\n').flatMap((line) => marker.exec(line)?.[2] ?? [])
}

/** The script with one guard taken out. */
export function withoutGuard(source: string, guard: string): string {
  const lines = source.split('\n')
  const at = lines.findIndex((line) => marker.exec(line)?.[2] === guard)
  const [, code = '', , instead] = marker.exec(lines[at] ?? '') ?? []
  if (at < 0) throw new TypeError(`The script has no guard "${guard}"`)
  if (code.trim() === '') lines.splice(at + 1, lengthOfStatement(lines, at + 1))
  else lines[at] = instead ?? ''
  return lines.join('\n')
}

function lengthOfStatement(lines: readonly string[], at: number): number {
  const first = lines[at] ?? ''
  if (!/\b(then|do)\s*$/.test(first)) return 1
  const indent = /^\s*/.exec(first)?.[0] ?? ''
  return lines.slice(at).findIndex((line) => line === `${indent}end`) + 1
}

/**
 * Proves every guard of a script: each has scenarios, which hold with the script as it is and of which each one
 * breaks without the guard.
 *
 * @param open A fresh place to run one scenario in, with this source of the script.
 */
export function describeGuards<Context>(
  script: string,
  source: string,
  open: (source: string) => Promise<GuardBench<Context>>,
  scenarios: Readonly<Record<string, Readonly<Record<string, GuardScenario<Context>>>>>,
): void {
  describe(`the guards of ${script}`, () => {
    test('each has a name of its own and a scenario', () => {
      expect(new Set(guardsOf(source)).size).toBe(guardsOf(source).length)
      expect(Object.keys(scenarios).toSorted()).toEqual(guardsOf(source).toSorted())
    })

    for (const [guard, all] of Object.entries(scenarios))
      for (const [what, scenario] of Object.entries(all)) {
        test(`${guard}: ${what}`, async () => {
          const bench = await open(source)
          try {
            await scenario(bench.context)
          } finally {
            await bench.close()
          }
        })

        test(`without ${guard} that breaks: ${what}`, async () => {
          const bench = await open(withoutGuard(source, guard))
          try {
            await expect(scenario(bench.context)).rejects.toThrow()
          } finally {
            await bench.close()
          }
        })
      }
  })
}
