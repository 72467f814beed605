import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { projectRoot } from '../../apps/all-in-one/src/pinned-node.ts'
import { canEnter } from '../../apps/all-in-one/src/servers/server-user.ts'
import { Checkout } from './checkout.ts'

const nobody = { uid: 65_534, gid: 65_534 }
const root = process.geteuid?.() === 0
const closed: string[] = []
let checkout: Checkout | undefined
afterEach(async () => {
  await checkout?.remove()
  for (const directory of closed.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** Starts twice as this user, and sees that the second start finds the data of the first. */
async function startTwice(options: { readonly user?: typeof nobody } = {}): Promise<void> {
  for (const times of [1, 2]) {
    const run = checkout?.start({ ...options, env: { HOME: checkout.directory } })
    await run?.ready()
    expect(await run?.counts()).toMatchObject({ redis: times, postgres: times })
    run?.pressCtrlC()
    expect(await run?.ended).toBe(0)
    await checkout?.quiet()
  }
}

// Who is not root tests this with every other test.
test.runIf(root && canEnter(projectRoot, nobody))('an unprivileged user can start everything', async () => {
  checkout = await Checkout.make()
  spawnSync('chown', ['-R', '-h', `${nobody.uid}:${nobody.gid}`, checkout.directory])
  await startTwice({ user: nobody })
  expect(checkout.outside).toBeUndefined()
  expect(statSync(path.join(checkout.home, 'secrets.json')).mode & 0o777).toBe(0o600)
})

test.runIf(root)('root can start everything in a checkout that nobody else can enter', async () => {
  const home = mkdtempSync(path.join(tmpdir(), 'millrace-closed-'))
  closed.push(home)
  checkout = await Checkout.make(home, { ownServers: true })
  await startTwice()
  // Neither was the way opened, nor is the data where others can read it.
  expect(statSync(home).mode & 0o777).toBe(0o700)
  const outside = checkout.outside ?? ''
  expect(outside).toMatch(/^\/var\/lib\/millrace-private\/postgres-data-/)
  expect(statSync(path.join(outside, 'data')).mode & 0o777).toBe(0o700)
  expect(statSync(path.join(outside, 'data')).uid).not.toBe(0)
})

test.runIf(root)(
  'data of PostgreSQL that was lost outside of the home starts empty, and is said',
  async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'millrace-closed-'))
    closed.push(home)
    checkout = await Checkout.make(home)
    const first = checkout.start()
    await first.ready()
    first.pressCtrlC()
    await first.ended
    rmSync(checkout.outside ?? '', { recursive: true })
    const second = checkout.start()
    await second.ready()
    expect(second.output).toContain('it starts empty, and the views are built again')
    expect(await second.counts()).toMatchObject({ redis: 2, postgres: 1 })
    second.pressCtrlC()
    await second.ended
  },
)

test.runIf(root)('a home of another user is refused in one sentence', async () => {
  checkout = await Checkout.make()
  mkdirSync(checkout.home)
  chmodSync(checkout.home, 0o755)
  const run = checkout.start({ via: 'node', user: nobody, env: { HOME: '/' } })
  expect(await run.ended).toBe(1)
  expect(run.output).toContain('belongs to another user (uid 0)')
})

test('secrets are kept to the owner, out of the output, and off every command line', async () => {
  checkout = await Checkout.make()
  const run = checkout.start()
  await run.ready()
  const file = path.join(checkout.home, 'secrets.json')
  expect(existsSync(file)).toBe(true)
  const secrets = Object.values(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)
  const visible = [run.output, ...checkout.processes().map(({ command }) => command)].join('\n')
  expect(secrets.length).toBeGreaterThan(5)
  expect(secrets.filter((secret) => visible.includes(secret))).toEqual([])
  run.pressCtrlC()
  await run.ended
})
