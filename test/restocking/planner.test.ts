import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type HttpServer, serveHttp } from '@millrace/hono'
import { buildPage, createPlanner } from '@millrace-app/planner'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserIsThere, quietVisit, startBrowser } from '../gateway/chromium.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { inDays, openScene, quietHttp, type Scene, serviceToken } from './scene.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Where the pictures go, for whoever wants to look at them. */
const pictures = process.env['MILLRACE_PICTURES']

describe.runIf(browserIsThere)("the planner's page", { timeout: 60_000 }, () => {
  const cache = mkdtempSync(path.join(tmpdir(), 'millrace-planner-'))
  let server: TestPostgres
  let scene: Scene
  let browser: Browser
  let http: HttpServer
  let url: string
  /** The way to restocking is cut. */
  let isCut = false
  const openStreams = new Set<AbortController>()

  beforeAll(async () => {
    server = await startPostgres()
    scene = await openScene(server.url)
    const service = await scene.startInstance()
    const planner = await createPlanner({
      page: await buildPage(cache),
      restocking: {
        baseUrl: 'http://restocking.internal',
        fetch: async (request) => {
          if (isCut) throw new Error('cut')
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
    http = await serveHttp(planner, { host: '127.0.0.1', port: 0, portVariable: 'PLANNER_PORT' })
    url = http.url
    browser = await startBrowser()
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await http.stop()
    await scene.close()
    await server.stop()
    rmSync(cache, { recursive: true, force: true })
  })

  /** An order with lines that are to be brought forward; answers their ids. */
  async function urgent(lines = 1): Promise<readonly string[]> {
    const product = { product: 'P1', quantity: 20, dueOn: inDays(30) }
    const order = await scene.place(Array.from({ length: lines }, () => product))
    await scene.product()
    await scene.echo(order)
    const ids = order.lines.map(({ line }) => `${order.id}.${line}.v1.bring-forward`)
    for (const id of ids) await scene.until(id, ({ status }) => status === 'open')
    return ids
  }
  const row = (page: Page, id: string) => page.locator(`[id="row-${id}"]`)
  const wide = { viewport: { width: 1_280, height: 800 } }

  async function expectAccessible(page: Page): Promise<void> {
    await page.evaluate(axe)
    const found = await page.evaluate<{ id: string; nodes: string[] }[]>(
      `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }).then(({ violations }) =>
        violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 200)) })))`,
    )
    expect(found).toEqual([])
  }
  async function picture(page: Page, name: string): Promise<void> {
    if (pictures !== undefined) await page.screenshot({ path: path.join(pictures, `planner-${name}.png`) })
  }

  test('a suggestion is carried out by keyboard; another browser sees it vanish, and the supplier has one mail', async () => {
    await scene.stock(5)
    const [id = '', second = ''] = await urgent(2)
    const mailsBefore = scene.mails.length
    await quietVisit(browser, wide, async (other) => {
      await other.goto(url)
      await row(other, id).waitFor()
      await quietVisit(browser, wide, async (page) => {
        await page.goto(url)
        await row(page, id).waitFor()
        expect(await row(page, id).textContent()).toContain('below the reorder level of 70')
        await row(page, second).focus()
        await page.keyboard.press('ArrowUp')
        expect(await page.evaluate('document.activeElement.id')).toBe(`row-${id}`)
        await page.keyboard.press('Enter')
        await page.getByRole('dialog').waitFor()
        await picture(page, 'question')
        await expectAccessible(page)
        await page.keyboard.press('Enter')
        await page.getByText('line 1: done.').waitFor()
        // In hand it stays where it is, and says what it is now.
        expect(await row(page, id).textContent()).toContain('Completed')
        await page.keyboard.press('ArrowDown')
        await row(page, id).waitFor({ state: 'detached' })
      })
      await row(other, id).waitFor({ state: 'detached' })
      expect(await row(other, second).count()).toBe(1)
    })
    expect(scene.mails.slice(mailsBefore).map((mail) => mail.id)).toEqual([id])
  })

  test('an order that is shipped while its question is open is refused with the reason', async () => {
    const [id = ''] = await urgent()
    const mailsBefore = scene.mails.length
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).getByRole('button', { name: 'Carry out' }).click()
      await scene.ofPurchasing(`/orders/${id.split('.')[0] ?? ''}/ship`)
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      await page.getByText('nothing was sent to the supplier').first().waitFor()
    })
    expect(scene.mails).toHaveLength(mailsBefore)
  })

  test('one that is withdrawn while its question is open stays withdrawn when the answer is yes', async () => {
    const [id = ''] = await urgent()
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).getByRole('button', { name: 'Carry out' }).click()
      await scene.echo(await scene.ofPurchasing(`/orders/${id.split('.')[0] ?? ''}/ship`))
      const withdrawn = row(page, id).getByText('Withdrawn: The order is on its way.')
      await withdrawn.waitFor()
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      await page.getByRole('status').getByText('The order is on its way.').waitFor()
      await withdrawn.waitFor()
      expect(await row(page, id).getByRole('button').count()).toBe(0)
    })
  })

  test('several are asked for once, can be undone for some seconds, and have a result each', async () => {
    const ids = await urgent(3)
    await quietVisit(browser, wide, async (page) => {
      await page.goto(`${url}?product=hinge`)
      for (const id of ids) await row(page, id).getByRole('checkbox').check()
      await page.getByRole('button', { name: 'Carry out selected' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText(', 3 selected').waitFor()
      await page.getByRole('button', { name: 'Carry out selected' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      const summary = page.getByText('3 of 3 carried out.')
      await summary.waitFor()
      expect(scene.mails.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids]))
      await picture(page, 'several')
    })
  })

  test('filters stand in the address', async () => {
    const [id = ''] = await urgent()
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).waitFor()
      await page.getByLabel('Supplier').fill('nobody')
      await page.getByText('There is nothing to show').waitFor()
      expect(new URL(page.url()).search).toBe('?supplier=nobody')
      await page.reload()
      await page.getByText('There is nothing to show').waitFor()
      expect(await page.getByLabel('Supplier').inputValue()).toBe('nobody')
      await page.getByLabel('Status').selectOption('completed')
      expect(new URL(page.url()).search).toBe('?status=completed&supplier=nobody')
    })
  })

  test('a lost connection is said, and nothing is missed when it is back', async () => {
    const [id = ''] = await urgent()
    const visit = async (page: Page): Promise<void> => {
      await page.goto(url)
      await row(page, id).waitFor()
      isCut = true
      for (const cut of openStreams) cut.abort()
      await page.getByRole('alert').waitFor()
      await picture(page, 'lost')
      await expectAccessible(page)
      const [meanwhile = ''] = await urgent()
      await scene.call(`/suggestions/${id}/dismiss`)
      isCut = false
      await row(page, meanwhile).waitFor()
      await row(page, id).waitFor({ state: 'detached' })
      await page.getByRole('alert').waitFor({ state: 'detached' })
    }
    await quietVisit(browser, wide, visit, /status of 5\d\d|ERR_INCOMPLETE_CHUNKED_ENCODING/)
  })

  test.each([
    ['light', wide],
    ['dark', { ...wide, colorScheme: 'dark' as const }],
    ['phone', { viewport: { width: 390, height: 844 } }],
  ])('nobody stumbles over it: %s', async (name, options) => {
    await urgent(3)
    await quietVisit(browser, options, async (page) => {
      await page.goto(url)
      await page.getByRole('row').first().waitFor()
      await page.getByRole('row').nth(1).getByRole('checkbox').check()
      await picture(page, name)
      await expectAccessible(page)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    })
  })

  test('ten thousand rows: only those in sight are there, and what is looked at stays where it is', async () => {
    await scene.manyVerdicts(10_000)
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await page.getByText(/10,\d\d\d suggestions/).waitFor()
      expect(await page.getByRole('row').count()).toBeLessThan(40)
      await page.getByRole('row').first().focus()
      await page.keyboard.press('End')
      await page.getByText('Z-last').first().waitFor()
      await page.keyboard.press('Home')
      await page.evaluate("document.querySelector('[role=grid]').scrollTo(0, 400_000)")
      const seen = async () =>
        page.evaluate<{ id: string; top: number }>(`(() => {
          const row = document.elementFromPoint(600, 400).closest('[role=row]')
          return { id: row.id, top: Math.round(row.getBoundingClientRect().top) }
        })()`)
      await page.waitForFunction('document.elementFromPoint(600, 400).closest("[role=row]")')
      const before = await seen()
      // One that lies far above comes to its end.
      await scene.call('/suggestions/A00005.1.v1.cancel/dismiss')
      await page
        .getByText('9,999')
        .or(page.getByText(/10,0\d\d suggestions/))
        .first()
        .waitFor()
      await expect.poll(seen).toEqual(before)
    })
  })
})
