import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { serveHttp } from '@millrace/hono'
import { buildPage, createPlanner } from '@millrace-app/planner'
import { startBrowser } from '../gateway/chromium.ts'
import { startPostgres } from '../support/postgres.ts'
import { inDays, openScene, quietHttp, serviceToken } from './scene.ts'

/** The planner's page before a restocking of its own, with a way between them that can be cut, and a browser. */
export async function openPlannerDesk() {
  const cache = mkdtempSync(path.join(tmpdir(), 'millrace-planner-'))
  const server = await startPostgres()
  const scene = await openScene(server.url)
  const service = await scene.startInstance()
  const openStreams = new Set<AbortController>()
  /** Paths that the page has asked restocking for. */
  const calls: string[] = []
  const way = {
    /** Whether a call is cut. */
    isCut: (_: Request): boolean => false,
    /** Cuts everything, also what has begun. */
    cut: () => {
      way.isCut = () => true
      for (const stream of openStreams) stream.abort()
    },
    mend: () => {
      way.isCut = () => false
    },
  }
  const planner = await createPlanner({
    page: await buildPage(cache),
    restocking: {
      baseUrl: 'http://restocking.internal',
      fetch: async (request) => {
        calls.push(new URL(request.url).pathname)
        if (way.isCut(request)) throw new Error('cut')
        const cut = new AbortController()
        openStreams.add(cut)
        const { body, status, headers } = await service.app.fetch(request)
        const through = body?.pipeThrough(new TransformStream(), { signal: cut.signal }) ?? null
        return new Response(through, { status, headers })
      },
      token: serviceToken,
    },
    http: quietHttp,
  })
  const http = await serveHttp(planner, { host: '127.0.0.1', port: 0, portVariable: 'PLANNER_PORT' })
  const browser = await startBrowser()

  /** An order with lines that are to be brought forward; answers their ids. */
  const urgent = async (lines = 1, product = 'P1'): Promise<readonly string[]> => {
    const line = { product, quantity: 20, dueOn: inDays(30) }
    const order = await scene.place(Array.from({ length: lines }, () => line))
    await scene.product(product)
    await scene.echo(order)
    const ids = order.lines.map(({ line }) => `${order.id}.${line}.v1.bring-forward`)
    for (const id of ids) await scene.until(id, ({ status }) => status === 'open')
    return ids
  }

  return {
    scene,
    browser,
    url: http.url,
    calls,
    way,
    urgent,
    close: async () => {
      await browser.close()
      await http.stop()
      await scene.close()
      await server.stop()
      rmSync(cache, { recursive: true, force: true })
    },
  }
}
