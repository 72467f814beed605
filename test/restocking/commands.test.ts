import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { serveHttp } from '@millrace/hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { millrace } from '../../apps/cli/src/testing/millrace.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openScene, type Scene, serviceToken } from './scene.ts'

let server: TestPostgres
let scene: Scene
let http: { readonly url: string; stop(): Promise<void> }
let home: string
beforeAll(async () => {
  server = await startPostgres()
  scene = await openScene(server.url)
  const { app } = await scene.startInstance()
  http = await serveHttp(app, { port: 0 })
  home = mkdtempSync(path.join(tmpdir(), 'millrace-catalogue-'))
})
afterAll(async () => {
  await http.stop()
  await scene.close()
  await server.stop()
  rmSync(home, { recursive: true })
})

const restocking = (line: string, url = http.url) =>
  millrace(`restocking ${line} --url ${url}`, { SERVICE_TOKEN: serviceToken, MILLRACE_HOME: home })

test('the initialiser is started, and says how many rows there were', async () => {
  expect(await restocking('initialise --json')).toMatchObject({
    code: 0,
    // Two products and their stock.
    stdout: expect.stringContaining('{"rows":4,'),
  })
  expect(await restocking('initialise', 'http://127.0.0.1:1')).toMatchObject({
    code: 3,
    stderr: 'millrace: Restocking cannot be reached at http://127.0.0.1:1.\n',
  })
})

test('a catalogue is uploaded; again, all of it is there already; lines that are wrong are named', async () => {
  const file = path.join(home, 'products.ndjson')
  const product = (at: number) =>
    JSON.stringify({ id: `P${at}`, name: `Thing ${at}`, supplier: 'S1', dailyForecast: 1, reorderLevel: 7 })
  const good = Array.from({ length: 1_500 }, (_, at) => product(at))
  writeFileSync(file, `${good.join('\n')}\n`)
  expect(await restocking(`catalogue ${file}`)).toMatchObject({
    code: 0,
    stdout: '1500 products: 1500 new, 0 there already, 0 refused\n',
  })
  expect(await restocking(`catalogue ${file} --json`)).toMatchObject({
    code: 0,
    stdout: '{"sent":1500,"appended":0,"duplicate":1500,"refused":0}\n',
  })
  writeFileSync(file, [...good.slice(0, 1_001), 'no JSON', '{"id":"P1","name":""}', product(1)].join('\n'))
  const mixed = await restocking(`catalogue ${file}`)
  expect(mixed).toMatchObject({
    code: 1,
    stdout: '1004 products: 1002 new, 0 there already, 2 refused\n',
  })
  expect(mixed.stderr).toMatch(/line 1002: json\.invalid.*\nline 1003: event\.invalid/)
})
