import {
  inTransaction,
  makeSchema,
  migrate,
  openSchemaPool,
  type PoolOptions,
  type Queries,
  readMigrations,
} from '@millrace/postgres'

/** Options of {@link openLegacyDatabase}. */
export interface LegacyDatabaseOptions extends PoolOptions {
  readonly url: string
  /** Default `legacy_leads`. */
  readonly schema?: string
}

/** The old system's own data. */
export interface LegacyDatabase {
  /** Makes the tables where they are missing. */
  prepare(): Promise<void>
  /** Runs in one transaction. */
  run<T>(act: (queries: Queries) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Opens the old system's data in PostgreSQL. Nothing is connected before the first use. */
export async function openLegacyDatabase(options: LegacyDatabaseOptions): Promise<LegacyDatabase> {
  const schema = options.schema ?? 'legacy_leads'
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(schema)) throw new TypeError(`${schema} is no name for a schema`)
  const pool = openSchemaPool(options.url, schema, options)
  const migrations = await readMigrations(new URL('../migrations/', import.meta.url))
  return {
    prepare: async () => {
      await makeSchema(pool, schema)
      await migrate(pool, 'legacy-leads', migrations)
    },
    run: (act) => inTransaction(pool, act),
    close: () => pool.end(),
  }
}
