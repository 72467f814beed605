import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Checkout } from './checkout.ts'

let checkout: Checkout
let taken: Server | undefined
beforeAll(async () => {
  checkout = await Checkout.make()
})
afterEach(() => {
  taken?.close()
})
afterAll(async () => {
  await checkout.remove()
})

test('a taken port is one clear sentence with the variable, the port and who holds it', async () => {
  taken = createServer().listen(checkout.ports.counter, '127.0.0.1')
  await once(taken, 'listening')
  const run = checkout.start({ via: 'node' })
  expect(await run.ended).toBe(1)
  const { counter } = checkout.ports
  expect(run.output).toBe(
    `GATEWAY_PORT: 127.0.0.1:${counter} is taken by process ${process.pid} (node), most often a development ` +
      'server or another Millrace; stop it, or choose another port: ' +
      `GATEWAY_PORT=${counter > 60_000 ? counter - 1000 : counter + 1000}\n`,
  )
})

test('all mistakes in settings and command line are told at once', async () => {
  const env = {
    GATEWAY_PORT: 'eighty',
    REDIS_URL: 'http://localhost',
    MILLRACE_HOMR: '/tmp',
    SERVICE_TOKEN: 'short',
  }
  const run = checkout.start({ via: 'node', env, args: ['--only', 'counter,mial', '--colour', 'now'] })
  expect(await run.ended).toBe(1)
  for (const text of [
    'GATEWAY_PORT',
    'REDIS_URL',
    'MILLRACE_HOMR',
    'SERVICE_TOKEN',
    '"mial"',
    '--colour',
    'now:',
  ])
    expect(run.output).toContain(text)
  expect(run.output).not.toContain('short,')
  expect(run.output).not.toContain('    at ')
})

test('two settings with one port are told', async () => {
  const run = checkout.start({ via: 'node', env: { UNIQ_PORT: String(checkout.ports.counter) } })
  expect(await run.ended).toBe(1)
  expect(run.output).toContain(`UNIQ_PORT: ${checkout.ports.counter} is also the value of GATEWAY_PORT`)
})

test('a second start on the same home is refused in one sentence, and the first goes on', async () => {
  const first = checkout.start({ args: ['--only', 'plain'] })
  await first.ready()
  const second = checkout.start({ via: 'node' })
  expect(await second.ended).toBe(1)
  expect(second.output).toMatch(
    /^Millrace is already running on \S+ \(process \d+, since \S+\)\. Stop it, or set .*\n$/,
  )
  expect(await plain()).toMatch(/^\d+$/)
  first.pressCtrlC()
  await checkout.quiet()
})

test('--only starts the services named, and only the servers that they need', async () => {
  const run = checkout.start({ args: ['--only', 'plain'] })
  await run.ready()
  expect(await plain()).toMatch(/^\d+$/)
  expect(run.part('keeper')).toEqual([])
  await expect(run.counts()).rejects.toThrow('fetch failed')
  run.pressCtrlC()
  expect(await run.ended).toBe(0)
})

test('--separate gives each service a process of its own', async () => {
  const run = checkout.start({ args: ['--separate'] })
  await run.ready()
  expect(String((await run.counts()).pid)).not.toBe(await plain())
  run.pressCtrlC()
  expect(await run.ended).toBe(0)
})

test('--help lists the services and starts nothing', async () => {
  const run = checkout.start({ via: 'node', args: ['--help'] })
  expect(await run.ended).toBe(0)
  expect(run.output).toContain('counter    counts its starts')
})

test('a service that cannot start ends the start with its reason, and nothing is left', async () => {
  const env = { DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:1/none' }
  const run = checkout.start({ via: 'node', env })
  expect(await run.ended).toBe(1)
  expect(run.output).toContain('The service process did not start: Error: connect ECONNREFUSED 127.0.0.1:1')
  expect(run.output).not.toContain('secret-word')
  await checkout.quiet()
})

async function plain(): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${checkout.ports.plain}/`)).text()
}
