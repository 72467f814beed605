import { Writable } from 'node:stream'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDemo } from '../../apps/cli/src/demo/program.ts'
import { WholeSystem } from '../support/whole-system.ts'

let system: WholeSystem
beforeAll(async () => {
  system = await WholeSystem.start()
})
afterAll(() => system.stop())

class Heard extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Heard(), new Heard()]
  const places = [
    ...['--base-url', system.urlOf('GATEWAY'), '--leads-url', system.urlOf('LEADS')],
    ...['--legacy-url', system.urlOf('LEGACY_LEADS'), '--home', system.home],
  ]
  const around = { env: {}, out, err, signal: new AbortController().signal }
  const code = await runDemo(['leads', ...places, ...args], around)
  return { code, out: out.text, err: err.text }
}

async function sql(text: string): Promise<void> {
  const database = new pg.Client(system.databaseUrl)
  await database.connect()
  try {
    await database.query(text)
  } finally {
    await database.end()
  }
}

test('offers out of order, several times, beside a legacy system that fails, end as the fold says', async () => {
  const { code, out, err } = await demo('--count', '30', '--seed', 'small')
  expect(err).not.toContain('differs')
  expect(out).toContain('Everything agrees with the fold.')
  expect(out).toContain('The legacy system has the same leads for all of them.')
  expect(out).toMatch(/^quotes +\d+ +\d+$/m)
  expect(code).toBe(0)
})

test('a planted difference is found, and is the exit code', async () => {
  await sql(`
    CREATE FUNCTION leads.quote_too_many() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN NEW.quotes := NEW.quotes + 1; RETURN NEW; END';
    CREATE TRIGGER planted BEFORE INSERT ON leads.lead FOR EACH ROW
      WHEN (NEW.buyer LIKE 'buyer-%-3') EXECUTE FUNCTION leads.quote_too_many()`)
  // So long the system has for the other four; the planted one is waited for in vain.
  const { code, out, err } = await demo('--count', '5', '--seed', 'small', '--patience', '10', '--json')
  expect(err).toMatch(/differs: buyer-\w+-3: .* quotes, .*, not /)
  expect((JSON.parse(out) as { differences: readonly string[] }).differences).toHaveLength(1)
  expect(code).toBe(1)
})
