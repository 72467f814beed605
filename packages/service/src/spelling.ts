/** How many single letters must be put in, left out, changed or swapped with their neighbour (Damerau–Levenshtein). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_unused, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(changed, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row.push(least)
    }
    before = above
    above = row
  }
  return above[b.length] ?? 0
}

/** The name that was probably meant, if one is near enough: a letter in six, two at most. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: { readonly known: string; readonly distance: number } | undefined
  for (const candidate of known) {
    const most = Math.min(2, Math.floor(candidate.length / 6))
    const distance = candidate.toUpperCase() === name.toUpperCase() ? 0 : editDistance(name, candidate)
    if (distance <= most && distance < (best?.distance ?? Infinity)) best = { known: candidate, distance }
  }
  return best?.known
}
