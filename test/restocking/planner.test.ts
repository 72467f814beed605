import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserIsThere, quietVisit } from '../gateway/chromium.ts'
import { openPlannerDesk } from './planner-desk.ts'
import type { Scene } from './scene.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Where the pictures go, for whoever wants to look at them. */
const pictures = process.env['MILLRACE_PICTURES']

describe.runIf(browserIsThere)("the planner's page", () => {
  let desk: Awaited<ReturnType<typeof openPlannerDesk>>
  let scene: Scene
  let browser: Browser
  let url: string

  beforeAll(async () => {
    desk = await openPlannerDesk()
    ;({ scene, browser, url } = desk)
  })
  afterAll(() => desk.close())

  const row = (page: Page, id: string) => page.locator(`[id="row-${id}"]`)
  /** How long several can be undone. */
  const undoMs = 5_000
  const wide = { viewport: { width: 1_280, height: 800 } }

  /** Mails may go out behind the answer of a click. */
  const expectMails = (ids: readonly string[]) =>
    expect.poll(() => scene.mails.map(({ id }) => id)).toEqual(expect.arrayContaining([...ids]))

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
    const [id = '', second = ''] = await desk.urgent(2)
    const mailsBefore = scene.mails.length
    await quietVisit(browser, wide, async (other) => {
      await other.goto(url)
      await row(other, id).waitFor()
      await quietVisit(browser, wide, async (page) => {
        await page.goto(url)
        await row(page, id).waitFor()
        await row(page, id).getByText('below the reorder level of 70').waitFor()
        await row(page, second).focus()
        await page.keyboard.press('ArrowUp')
        await page.locator(`[id="row-${id}"]:focus`).waitFor()
        await page.keyboard.press('Enter')
        await page.getByRole('dialog').waitFor()
        await picture(page, 'question')
        await expectAccessible(page)
        await page.keyboard.press('Enter')
        await page.getByText('line 1: done.').waitFor()
        // In hand it stays where it is, and says what it is now.
        await row(page, id).getByText('Completed').waitFor()
        await page.keyboard.press('ArrowDown')
        await row(page, id).waitFor({ state: 'detached' })
      })
      await row(other, id).waitFor({ state: 'detached' })
      expect(await row(other, second).count()).toBe(1)
    })
    await expect.poll(() => scene.mails.slice(mailsBefore).map((mail) => mail.id)).toEqual([id])
  })

  test('a key that is held down asks, and is no answer to what it has asked', async () => {
    const [id = ''] = await desk.urgent()
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).focus()
      desk.calls.length = 0
      await page.keyboard.down('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.down('Enter')
      await page.keyboard.up('Enter')
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
      await page.locator(`[id="row-${id}"]:focus`).waitFor()
      expect(desk.calls.filter((path) => path.endsWith('/carry-out'))).toEqual([])
    })
  })

  test('an order that is shipped while its question is open is refused with the reason', async () => {
    const [id = ''] = await desk.urgent()
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
    const [id = ''] = await desk.urgent()
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
    const ids = await desk.urgent(3)
    await quietVisit(browser, wide, async (page) => {
      await page.clock.install()
      await page.goto(`${url}?product=hinge`)
      for (const id of ids) await row(page, id).getByRole('checkbox').check()
      await page.getByRole('button', { name: 'Carry out selected' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      await page.getByRole('button', { name: 'Undo' }).click()
      await page.getByText(', 3 selected').waitFor()
      await page.getByRole('button', { name: 'Carry out selected' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
      await page.clock.runFor(undoMs)
      const summary = page.getByText('3 of 3 carried out.')
      await summary.waitFor()
      await expectMails(ids)
      await picture(page, 'several')
    })
  })

  test('what was not done when several break off stays selected, and can be asked for once more', async () => {
    await scene.stock(5, 'P2')
    const ids = await desk.urgent(22, 'P2')
    await quietVisit(browser, wide, async (page) => {
      await page.clock.install()
      await page.goto(`${url}?product=bolt`)
      await page.getByText('22 suggestions').waitFor()
      await page.getByLabel('All').check()
      let parts = 0
      desk.way.isCut = (call) => call.url.endsWith('/suggestions/carry-out') && ++parts > 1
      const carryOut = async () => {
        await page.getByRole('button', { name: 'Carry out selected' }).click()
        await page.getByRole('dialog').getByRole('button', { name: 'Carry out' }).click()
        await page.clock.runFor(undoMs)
      }
      await carryOut()
      await page.getByText('20 of 22 carried out, then it broke off: Restocking cannot be reached').waitFor()
      desk.way.mend()
      await page.getByText(', 2 selected').waitFor()
      await carryOut()
      await page.getByText('2 of 2 carried out.').waitFor()
    })
    await expectMails(ids)
  })

  test('nothing is done to what a filter hides; it is selected still when it is shown again', async () => {
    const [id = ''] = await desk.urgent()
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).getByRole('checkbox').check()
      desk.calls.length = 0
      await page.getByLabel('Supplier').pressSequentially('nobody')
      await page.getByText('none of those listed as open matches').waitFor()
      expect(await page.getByRole('button', { name: 'Carry out selected' }).isDisabled()).toBe(true)
      await page.getByRole('button', { name: 'Show all of them' }).click()
      await page.getByText(', 1 selected').waitFor()
      // Filters choose among what is known.
      expect(desk.calls.filter((path) => path === '/suggestions')).toEqual([])
    })
  })

  test('filters stand in the address', async () => {
    const [id = ''] = await desk.urgent()
    await quietVisit(browser, wide, async (page) => {
      await page.goto(url)
      await row(page, id).waitFor()
      await page.getByLabel('Supplier').fill('nobody')
      await page.getByText('There is nothing to show').waitFor()
      await expect.poll(() => new URL(page.url()).search).toBe('?supplier=nobody')
      await page.reload()
      await page.getByText('There is nothing to show').waitFor()
      expect(await page.getByLabel('Supplier').inputValue()).toBe('nobody')
      await page.getByLabel('Status').selectOption('completed')
      await expect.poll(() => new URL(page.url()).search).toBe('?status=completed&supplier=nobody')
      await page.goBack()
      await expect.poll(() => page.getByLabel('Status').inputValue()).toBe('open')
      await page.goto(`${url}?kind=of-none&status=of-none`)
      await row(page, id).waitFor()
      expect(await page.getByLabel('What').inputValue()).toBe('')
    })
  })

  test('a lost connection is said, and nothing is missed when it is back', async () => {
    const [id = ''] = await desk.urgent()
    const visit = async (page: Page): Promise<void> => {
      await page.goto(url)
      await row(page, id).getByRole('checkbox').check()
      desk.way.cut()
      await page.getByRole('alert').waitFor()
      await picture(page, 'lost')
      await expectAccessible(page)
      const [meanwhile = ''] = await desk.urgent()
      // What was read stays in sight, and selected.
      await page.getByText('Restocking cannot be reached').waitFor()
      await page.getByText(', 1 selected').waitFor()
      await scene.call(`/suggestions/${id}/dismiss`)
      desk.way.mend()
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
    ['tablet', { viewport: { width: 820, height: 1_000 } }],
  ])('nobody stumbles over it: %s', async (name, options) => {
    await desk.urgent(3)
    await quietVisit(browser, options, async (page) => {
      await page.goto(url)
      await page.getByRole('row').first().waitFor()
      await page.getByRole('row').nth(1).getByRole('checkbox').check()
      await picture(page, name)
      await expectAccessible(page)
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      // Nothing of a row is cut off.
      const cut = `[...document.querySelectorAll('.row')].flatMap((row) =>
        [row, ...row.children].filter((part) => part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight)
          .map(({ className, textContent }) => className + ': ' + textContent))`
      expect(await page.evaluate(cut)).toEqual([])
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
      const count = async () => page.getByText(/\d,\d\d\d suggestions/).textContent()
      const all = await count()
      await scene.call('/suggestions/A00005.1.v1.cancel/dismiss')
      await expect.poll(count).not.toBe(all)
      await expect.poll(seen).toEqual(before)
    })
  })
})
