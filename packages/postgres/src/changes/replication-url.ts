import { databaseUrl } from '../database-url.ts'
import { valueSettings } from './values.ts'

/** A database's URL for connections whose values are read by {@link readerOf}; `replication`: for the stream itself. */
export function changesUrl(url: string, purpose: 'queries' | 'replication'): string {
  return databaseUrl(url, valueSettings, purpose === 'replication' ? { replication: 'database' } : {})
}
