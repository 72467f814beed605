/** A size as people say it. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`
  if (count < 1_000_000) return `${(count / 1_000).toFixed(1)} kB`
  return `${(count / 1_000_000).toFixed(1)} MB`
}

const local = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

/** A moment as `2026-11-21 21:15:03` in the machine's time zone. */
export function arrival(iso: string): string {
  return local.format(new Date(iso))
}
