import { describeSagaStoreContract } from '@millrace/saga/contract'
import { startPostgres } from '../../../test/support/postgres.ts'
import { migrate } from './migrate.ts'
import { openPool } from './pool.ts'
import { postgresSagaStore, sagaTables } from './saga-store.ts'

describeSagaStoreContract('PostgreSQL', async () => {
  const server = await startPostgres()
  const pool = openPool(server.url, { onError: () => undefined })
  await migrate(pool, 'sagas', [{ version: 1, name: 'sagas', sql: sagaTables }])
  return {
    store: postgresSagaStore(pool),
    close: async () => {
      await pool.end()
      await server.stop()
    },
  }
})
