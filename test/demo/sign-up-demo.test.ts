import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDemo } from '../../apps/cli/src/demo/program.ts'
import type { Report } from '../../apps/cli/src/demo/report.ts'
import type { RealServices } from '../gateway/real-services.ts'
import { intakeToken, startRealGateway, type TestGateway } from '../gateway/start-gateway.ts'
import { testSeed } from '../support/random.ts'
import { type ListedMail, startListedInbox } from './listed-inbox.ts'

const seed = String(testSeed())

let gateway: TestGateway<RealServices>
let inbox: Awaited<ReturnType<typeof startListedInbox>>
let home: string
/** What the inbox shows of the mails that were sent. */
let shown: (mails: readonly ListedMail[]) => readonly ListedMail[] = (mails) => mails

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'millrace-demo-'))
  writeFileSync(path.join(home, 'secrets.json'), JSON.stringify({ INTAKE_TOKEN: intakeToken }))
  gateway = await startRealGateway()
  inbox = await startListedInbox(async () =>
    shown(
      (await gateway.services.mails()).map(({ id, to }) => ({ id, to: [to.toUpperCase()], messageId: id })),
    ),
  )
})
afterAll(async () => {
  rmSync(home, { recursive: true })
  await Promise.all([gateway.stop(), inbox.stop()])
})

async function demo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new Heard(), new Heard()]
  const places = ['--base-url', gateway.url, '--inbox-url', inbox.url, '--home', home]
  const around = { env: {}, out, err, signal: new AbortController().signal }
  const code = await runDemo(['sign-up', ...places, ...args], around)
  return { code, out: out.text, err: err.text }
}

class Heard extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

describe('the sign-up demo', () => {
  it('finds that answers, log and mails agree, and finds it again with the same seed', async () => {
    const first = await demo('--count', '400', '--seed', 'agree', '--json')
    expect(first.err).not.toContain('differs')
    expect(first.code).toBe(0)
    const report = JSON.parse(first.out) as Report
    expect(report).toMatchObject({ seed: 'agree', sent: 400, differences: [] })
    for (const { name, expected, found } of report.answers) expect([name, found]).toEqual([name, expected])
    const count = (name: string) => report.answers.find((row) => row.name === name)?.found ?? 0
    expect(count('refused: address taken')).toBeGreaterThan(20)
    expect(count('same request, same answer')).toBeGreaterThan(0)
    expect(count('created')).toBe(report.addresses)
    expect(report.log.created).toBe(report.addresses)
    expect(report.inbox?.mailed).toBe(report.addresses)

    const again = await demo('--count', '400', '--seed', 'agree', '--json')
    expect(again.code).toBe(0)
    expect((JSON.parse(again.out) as Report).log).toEqual(report.log)
  })

  it('knows an address again whose letters a mail server changed and that have several small forms', async () => {
    // This seed signs up a Σωκράτης.
    const { code, out } = await demo('--count', '30', '--seed', '39608')
    expect(out).toContain('Everything agrees.')
    expect(code).toBe(0)
  })

  it(`prints a table with its seed (seed ${seed})`, async () => {
    const { code, out, err } = await demo('--count', '30', '--seed', seed)
    expect(code).toBe(0)
    expect(out).toMatch(/sent +30 +30\n/)
    expect(out).toContain('Everything agrees.')
    expect(err).toMatch(/30 sign-ups at http.*, seed \d+\n/)
    expect(err).toContain('signed up: 30 of 30')
  })

  it('says which mail is missing, and which is there twice', async () => {
    shown = (mails) => [...mails.slice(0, -1), ...mails.slice(0, 1).map((mail) => ({ ...mail, id: 'again' }))]
    const { code, out, err } = await demo('--count', '20', '--seed', 'lost', '--patience', '1', '--json')
    shown = (mails) => mails
    expect(code).toBe(1)
    expect(err).toMatch(/differs: \S+ has an account and no mail/)
    expect((JSON.parse(out) as Report).differences).toHaveLength(1)
  })

  it('says what stands in its way, with an exit code of its own', async () => {
    expect(await demo('--base-url', 'http://127.0.0.1:1')).toMatchObject({
      code: 3,
      err: expect.stringContaining('There is no gateway at http://127.0.0.1:1'),
    })
    expect(await demo('--inbox-url', 'http://127.0.0.1:1')).toMatchObject({
      code: 3,
      err: expect.stringContaining('There is no inbox'),
    })
    expect(await demo('--home', path.join(home, 'nowhere'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('start the system by npm start'),
    })
    expect(await demo('--count', '9000')).toMatchObject({ code: 2, err: expect.stringContaining('too few') })
    expect(await demo('--count', 'many')).toMatchObject({
      code: 2,
      err: expect.stringContaining('whole number'),
    })
    writeFileSync(path.join(home, 'secrets.json'), '{"INTAKE_TOKEN":"wrong"}')
    expect(await demo('--count', '3', '--seed', 'token', '--no-inbox')).toMatchObject({
      code: 3,
      err: expect.stringContaining('does not take the intake token'),
    })
    writeFileSync(path.join(home, 'secrets.json'), JSON.stringify({ INTAKE_TOKEN: intakeToken }))
  })

  it('knows private sign-up, where only the log tells who has got an account', async () => {
    const own = await startRealGateway({ privateSignUp: true })
    const { code, out } = await demo(
      '--base-url',
      own.url,
      '--count',
      '100',
      '--seed',
      'private',
      '--no-inbox',
      '--json',
    )
    await own.stop()
    expect(code).toBe(0)
    const { answers, addresses, log } = JSON.parse(out) as Report
    expect(answers.map(({ name }) => name)).toContain('accepted (private sign-up)')
    expect(log.created).toBe(addresses)
  })
})
