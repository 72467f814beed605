import { read } from './tree.ts'

/** Where a workspace stands: imports only point to a lower rank. */
export type Ranks = ReadonlyMap<string, number>

/**
 * Reads the ranks from the table in ARCHITECTURE.md, the one place where they are written down.
 * A row is `| rank | where | names … |`; names are in backquotes; `where` is `packages` or `apps`.
 */
export function ranksOf(architecture: string): Ranks {
  const ranks = new Map<string, number>()
  for (const [, rank, where, names] of architecture.matchAll(
    /^\| (\d+) +\| (packages|apps) +\|([^|]*)\|/gm,
  )) {
    for (const [, name] of (names ?? '').matchAll(/`([a-z0-9-]+)`/g)) {
      ranks.set(`${where}/${name}`, Number(rank))
    }
  }
  return ranks
}

/** The ranks of this repository. */
export function houseRanks(): Ranks {
  return ranksOf(read('ARCHITECTURE.md'))
}

/** `@millrace/log/x` → `packages/log`; `@millrace-app/uniq` → `apps/uniq`; anything else → undefined. */
export function workspaceOfModule(specifier: string): string | undefined {
  const match = /^@millrace(-app)?\/([^/]+)/.exec(specifier)
  if (match === null) return undefined
  return `${match[1] === undefined ? 'packages' : 'apps'}/${match[2]}`
}
