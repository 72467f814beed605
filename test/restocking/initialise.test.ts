import { generate, seeded } from '@millrace-app/purchasing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openScene, type Scene } from './scene.ts'

let server: TestPostgres
let scene: Scene
beforeAll(async () => {
  server = await startPostgres()
  scene = await openScene(server.url)
  await scene.startInstance()
  await scene.database.write('seed', async (queries) => {
    for (const table of ['stock', 'product', 'supplier']) await queries.rows(`DELETE FROM ${table}`)
    const size = { suppliers: 5, products: 50, orders: 400 }
    await generate(queries, {
      ...size,
      random: seeded('initialise'),
      today: new Date().toISOString().slice(0, 10),
    })
  })
})
afterAll(async () => {
  await scene.close()
  await server.stop()
})

async function initialise(): Promise<readonly { readonly rows: number; readonly of?: number }[]> {
  const answer = await scene.first().app.request('/initialise', {
    method: 'POST',
    headers: { authorization: 'Bearer a-service' },
  })
  const lines = (await answer.text()).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as { rows: number; of?: number })
}

/** Every verdict, once the groups have done all that there is. */
async function verdicts(): Promise<string> {
  await scene.settled()
  const rows = await scene.database.read((queries) =>
    queries.rows(
      'SELECT line_key, kind, reason, line_version FROM restocking_view.verdict ORDER BY line_key',
    ),
  )
  return JSON.stringify(rows)
}

test('an empty system is filled, with progress; again it changes nothing; a change that came first stays', async () => {
  const told = await initialise()
  expect(told.at(-1)).toEqual({ rows: 500, of: 500 })
  const first = await verdicts()
  expect(first).not.toContain('Waiting')
  const open = await scene.database.read((queries) =>
    queries.rows<{ count: number }>(
      `SELECT count(*)::int AS count FROM purchasing.purchase_order, jsonb_array_elements(lines) AS line
       WHERE purchase_order.status IN ('open', 'shipped') AND line->>'status' = 'open'`,
    ),
  )
  expect(JSON.parse(first)).toHaveLength(open[0]?.count ?? -1)

  // One order moves on, and its change is there before the second run.
  const [row] = await scene.database.read((queries) =>
    queries.rows<{ id: string }>(
      `SELECT id FROM purchasing.purchase_order WHERE status = 'open' ORDER BY id LIMIT 1`,
    ),
  )
  const shipped = await scene.ofPurchasing(`/orders/${row?.id}/ship`)
  await scene.echo(shipped)
  const changed = await verdicts()
  expect(changed).toContain('The order is on its way.')
  await initialise()
  expect(await verdicts()).toBe(changed)
})
