import { valueSettings } from './values.ts'

/** A database's URL for connections whose values are read by {@link readerOf}; `replication`: for the stream itself. */
export function changesUrl(url: string, purpose: 'queries' | 'replication'): string {
  const scoped = new URL(url)
  const before = scoped.searchParams.get('options')
  scoped.searchParams.set('options', `${before === null ? '' : `${before} `}${valueSettings}`)
  if (purpose === 'replication') scoped.searchParams.set('replication', 'database')
  // URLSearchParams writes a blank as +, which the driver does not read back.
  scoped.search = scoped.search.replaceAll('+', '%20')
  return scoped.href
}
