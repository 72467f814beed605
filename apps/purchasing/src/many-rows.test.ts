import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { openSnapshot } from './snapshot.ts'
import { PurchasingStand } from './testing/purchasing-stand.ts'

let server: TestPostgres
let stand: PurchasingStand
beforeAll(async () => {
  server = await startPostgres()
  stand = await PurchasingStand.open(server.url)
})
afterAll(async () => {
  await stand.close()
  await server.stop()
})

test('a snapshot is of one moment: what is committed after its watermark is not in it', async () => {
  const snapshot = await openSnapshot(server.url, stand.database.schema)
  const late = await stand.place()
  const ids: string[] = []
  for await (const rows of snapshot.rows<{ id: string }>('SELECT id FROM purchase_order'))
    ids.push(...rows.map(({ id }) => id))
  expect(ids).toContain('O0000001')
  expect(ids).not.toContain(late.id)
  expect(snapshot.watermark).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/)
  await snapshot.close()
})

test('the snapshot and the catalogue are told line by line, to the end', async () => {
  const text = await (await stand.get('/snapshot')).text()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(Object.keys(lines[0] ?? {})).toEqual(['watermark'])
  expect(lines.at(-1)).toEqual({ end: lines.length - 2 })
  expect(lines.filter((line) => 'product' in line)).toHaveLength(40)
  expect(lines.find((line) => 'order' in line)?.['order']).toHaveProperty('lines')
  const catalogue = await (await stand.get('/catalogue')).text()
  expect(catalogue.trimEnd().split('\n')).toHaveLength(40)
  expect(JSON.parse(catalogue.split('\n')[0] ?? '')).toMatchObject({ id: 'P000001', supplier: 'S0001' })
})

test('a snapshot that breaks off lacks its end, and the log says why', async () => {
  const body: ReadableStream<Uint8Array> | null = (await stand.get('/snapshot')).body
  const reader = body?.getReader()
  await reader?.read()
  // Waits until they are gone.
  const sql = `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
               WHERE application_name = 'millrace purchasing snapshot'`
  await stand.database.read((queries) => queries.rows(sql))
  let rest = ''
  for (let piece = await reader?.read(); piece?.value; piece = await reader?.read())
    rest += new TextDecoder().decode(piece.value)
  expect(rest).not.toContain('"end"')
  expect(stand.warned).toContain('An answer of many rows broke off')
})

test('snapshots that nobody reads to the end are let go, and only so many are open at once', async () => {
  const answers = [await stand.get('/snapshot'), await stand.get('/snapshot'), await stand.get('/snapshot')]
  const refused = await stand.get('/snapshot')
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'service.busy' }])
  const open = async () => {
    const sql = `SELECT pid FROM pg_stat_activity WHERE application_name = 'millrace purchasing snapshot'`
    return (await stand.database.read((queries) => queries.rows(sql))).length
  }
  // Connections of the snapshots before may take a moment to end.
  await expect.poll(open).toBe(3)
  const [first, ...others] = answers
  const reader = first?.body?.getReader()
  await reader?.read()
  await reader?.cancel()
  // Of these not a line was asked for.
  for (const answer of others) await answer.body?.cancel()
  await expect.poll(open).toBe(0)
  expect((await (await stand.get('/snapshot')).text()).endsWith('}\n')).toBe(true)
  // Who asks for the head alone takes no line, and nobody tells when he is gone.
  for (let asked = 0; asked < 4; asked++)
    expect((await stand.call('/snapshot', { method: 'HEAD' })).status).toBe(200)
  await expect.poll(open).toBe(0)
})
