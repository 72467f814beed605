import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import type { Judgement } from './judge.ts'
import { checkLog } from './log-check.ts'

let server: Server | undefined
afterEach(() => server?.close())

interface Planted {
  readonly subject: string
  readonly email: string
  readonly password?: string
}

/** A log of these accounts, given two events a page. */
async function logOf(accounts: readonly Planted[]): Promise<string> {
  const lines = accounts.map(({ subject, email, ...rest }, at) =>
    JSON.stringify({
      type: 'AccountCreated',
      subject,
      data: { email, ...rest },
      position: `p${at}`,
      cursor: String(at + 1),
    }),
  )
  server = createServer((request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after') ?? 0)
    response.end(
      lines
        .slice(from, from + 2)
        .map((line) => `${line}\n`)
        .join(''),
    )
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server?.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const judgement: Judgement = {
  rows: [],
  differences: [],
  created: new Map([
    ['a@example.org', { id: '1', position: 'p0' }],
    ['b@example.org', { id: '2', position: 'p1' }],
  ]),
  addresses: new Set(['a@example.org', 'b@example.org']),
  privateSignUp: false,
}
const a = { subject: '1', email: 'A@example.org' }
const b = { subject: '2', email: 'b@example.org' }
const stranger = { subject: '9', email: 'stranger@example.org' }

async function differencesOf(...accounts: Planted[]): Promise<readonly string[]> {
  const source = { baseUrl: await logOf(accounts), token: 't', signal: AbortSignal.timeout(60_000) }
  const { differences } = await checkLog(source, judgement, 'pass-mark')
  server?.close()
  return differences
}

it('agrees with answers that are on the log, page by page', async () => {
  expect(await differencesOf(a, b, stranger, stranger, stranger)).toEqual([])
})

it('planted: lost, doubled and swapped accounts and a password on the log are found', async () => {
  expect(await differencesOf(a)).toEqual(['b@example.org has no account on the log'])
  expect(await differencesOf(a, b, a)).toEqual(['a@example.org has 2 accounts on the log'])
  expect(await differencesOf(b, a)).toHaveLength(2)
  expect(await differencesOf(a, b, { ...stranger, password: 'pass-mark horse' })).toEqual([
    'The event at p2 holds a password',
  ])
})
