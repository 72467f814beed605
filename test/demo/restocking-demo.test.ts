import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDemo } from '../../apps/cli/src/demo/program.ts'
import { WholeSystem } from '../support/whole-system.ts'

/** What of the printed JSON is looked at. */
interface Printed {
  readonly rows: readonly { readonly name: string; readonly found: number }[]
  readonly firstSeenBy: Readonly<Record<string, number>>
}

let system: WholeSystem
beforeAll(async () => {
  system = await WholeSystem.start()
}, 120_000)
afterAll(() => system.stop())

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Heard(), new Heard()]
  const places = ['--restocking-url', system.urlOf('RESTOCKING'), '--inbox-url', system.urlOf('INBOX')]
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

test('a small day ends as the rules over the central database say, twice', async () => {
  const first = await demo('--events', '600', '--seed', 'small', '--json')
  expect(first.err).not.toContain('differs')
  expect(first.code).toBe(0)
  const { rows, firstSeenBy } = JSON.parse(first.out) as Printed
  const found = Object.fromEntries(rows.map((row) => [row.name, row.found]))
  expect(found).toMatchObject({
    'dead letters: type.unknown': 2,
    'dead letters: event.invalid': 2,
    'refused at the door: event.too-large': 1,
    'mails sent twice': 0,
  })
  expect(found['StockLevelChanged']).toBeGreaterThan(500)
  expect(found['mails sent']).toBeGreaterThan(0)
  expect((firstSeenBy['echo'] ?? 0) + (firstSeenBy['answer'] ?? 0)).toBe(found['mails sent'])
  const again = await demo('--events', '100')
  expect(again.out).toContain('Everything agrees with the rules over the central database.')
  expect(again.code).toBe(0)
}, 180_000)
