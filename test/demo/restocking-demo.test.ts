import { Writable } from 'node:stream'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDemo } from '../../apps/cli/src/demo/program.ts'
import { WholeSystem } from '../support/whole-system.ts'

/** What of the printed JSON is looked at. */
interface Printed {
  readonly rows: readonly { readonly name: string; readonly found: number }[]
  readonly clicks: {
    readonly carriedOut: number
    readonly refused: Readonly<Record<string, number>>
  }
  readonly firstSeenBy: Readonly<Record<string, number>>
  readonly differences: readonly string[]
}

let system: WholeSystem
beforeAll(async () => {
  system = await WholeSystem.start()
})
afterAll(() => system.stop())

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Heard(), new Heard()]
  const places = [
    ...['--restocking-url', system.urlOf('RESTOCKING'), '--purchasing-url', system.urlOf('PURCHASING')],
    ...['--inbox-url', system.urlOf('INBOX')],
  ]
  const around = { env: {}, out, err, signal: new AbortController().signal }
  const code = await runDemo(['restocking', ...places, '--home', system.home, ...args], around)
  return { code, out: out.text, err: err.text }
}

class Heard extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

test('a small day ends as the rules over the central database say, twice; most clicks are carried out', async () => {
  const first = await demo('--events', '600', '--seed', 'small', '--json')
  expect(first.err).not.toContain('differs')
  expect(first.code).toBe(0)
  const { rows, firstSeenBy, clicks } = JSON.parse(first.out) as Printed
  const found = Object.fromEntries(rows.map((row) => [row.name, row.found]))
  expect(found).toMatchObject({
    'dead letters: type.unknown': 2,
    'dead letters: event.invalid': 2,
    'refused at the door: event.too-large': 1,
    'mails sent twice': 0,
  })
  expect(found['StockLevelChanged']).toBeGreaterThan(500)
  expect(found['mails sent']).toBeGreaterThan(0)
  const { echo = 0, answer = 0 } = firstSeenBy
  expect(echo + answer).toBe(clicks.carriedOut)
  expect(found['mails sent']).toBe(clicks.carriedOut)
  expect(clicks.carriedOut).toBeGreaterThan(6)
  // Three of four answers of the orders' owner are slow: the change is back before them.
  expect(echo).toBeGreaterThan(0)
  const again = await demo('--events', '100', '--seed', 'again')
  expect(again.out).toContain('Everything agrees with the rules over the central database.')
  expect(again.out).toMatch(/the echo came before the call returned +\d+\n/)
  expect(again.code).toBe(0)
})

test('a planted difference is found, and is the exit code', async () => {
  const database = new pg.Client(system.databaseUrl)
  await database.connect()
  // A suggestion for a line that no order has.
  const sql = `
    INSERT INTO restocking_view.verdict
    SELECT 'GHOST/1', 'GHOST', 1, product, product_name, supplier, 1, due_on, 1, 'cancel', NULL, numbers, reason,
      'GHOST.1.v1.cancel', 'planted', 'planted', now(), partition, last_seq
    FROM restocking_view.verdict LIMIT 1`
  try {
    await database.query(sql)
  } finally {
    await database.end()
  }
  const { code, out, err } = await demo('--events', '100', '--seed', 'planted', '--json')
  expect(err).toContain('differs: GHOST.1.v1.cancel is open, and nothing is to be suggested')
  expect((JSON.parse(out) as Printed).differences.join()).toMatch(/suggested: cancel: \d+, not \d+/)
  expect(code).toBe(1)
})
