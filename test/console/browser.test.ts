import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserIsThere, quietVisit, startBrowser } from '../gateway/chromium.ts'
import { type ConsoleRig, startConsoleRig, tokens } from './console-rig.ts'

/** Where pictures of the pages are kept, for somebody who wants to look at them. */
const pictures = process.env['PICTURES']

describe.skipIf(!browserIsThere)('the console in a browser', () => {
  let rig: ConsoleRig
  let browser: Browser
  beforeAll(async () => {
    if (pictures !== undefined) mkdirSync(pictures, { recursive: true })
    rig = await startConsoleRig()
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await rig?.stop()
  })

  const picture = async (page: Page, name: string) => {
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) })
  }
  const logIn = async (page: Page, token: string) => {
    await page.goto(`${rig.url}/`)
    expect(page.url()).toBe(`${rig.url}/login`)
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.waitForURL(`${rig.url}/`)
  }
  const openFailed = async (page: Page) => {
    await page.goto(`${rig.url}/queue/retry.orders.bill?status=failed`)
    await page.getByText('Placed order-17').first().waitFor()
  }

  /** The buttons of the jobs on a page that can be seen. */
  const buttonsOf = (page: Page) => page.locator('[class^="jobActions-"] button:visible')

  test('every button that an operator sees does something: none is refused', () =>
    quietVisit(browser, { viewport: { width: 1280, height: 900 } }, async (page) => {
      const answers: string[] = []
      rig.broken.add('order-1')
      await rig.append('order-1 1')
      await logIn(page, tokens.operator)
      page.on('response', (answer) => {
        if (answer.request().method() !== 'GET')
          answers.push(`${answer.status()} ${new URL(answer.url()).pathname}`)
      })
      const held = async (job: string) => {
        await page.goto(`${rig.url}/queue/retry.orders.bill?status=failed`)
        await page.getByText(job).first().waitFor()
      }
      await rig.until(async () => {
        const answer = await page.request.get(
          `${rig.url}/api/queues?activeQueue=retry.orders.bill&status=failed`,
        )
        return (await answer.text()).includes('Placed order-1')
      })
      await held('Placed order-1')
      // Retry and Remove.
      await expect.poll(() => buttonsOf(page).count()).toBe(2)
      await page.locator('[class^="trigger-"]:visible').first().click()
      const menu = page.locator('[role="menuitem"]:visible')
      await expect.poll(() => menu.allTextContents()).toEqual([expect.stringMatching(/^Retry all/), 'Pause'])
      await menu.last().click()
      await confirmed(page, answers, 1)
      await page.locator('[class^="trigger-"]:visible').first().click()
      await page.locator('[role="menuitem"]:visible', { hasText: 'Resume' }).click()
      await confirmed(page, answers, 2)
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Clean all' }).click()
      await confirmed(page, answers, 3)
      await rig.until(() => rig.ruled.length === 1)
      expect(rig.ruled).toEqual(['order-1 ignored by console operator: ruled'])
      rig.ruled.length = 0
      rig.broken.delete('order-1')
      expect(answers.filter((one) => !one.startsWith('20'))).toEqual([])
      await picture(page, 'cleaned')
    }))

  /** Says yes where it is asked for, and waits for the answer. */
  const confirmed = async (page: Page, answers: readonly string[], count: number) => {
    const yes = page.getByRole('button', { name: 'Confirm' })
    await rig.until(async () => answers.length >= count || (await yes.isVisible()))
    if (answers.length < count) await yes.click()
    await rig.until(() => answers.length >= count)
  }

  test('an operator retries a held key: its events are handled in their order, its line behind it', () =>
    quietVisit(browser, { viewport: { width: 1280, height: 900 } }, async (page) => {
      rig.broken.add('order-17')
      await rig.append('order-17 1', 'order-18 1', 'order-17 2', 'order-17 3', 'order-18 2')
      await rig.until(() => rig.handled.length === 2)
      await picture(page, 'login-before')
      await logIn(page, tokens.operator)
      await page.getByText('retry.orders.bill').first().waitFor()
      await picture(page, 'overview')
      await openFailed(page)
      await picture(page, 'failed')
      expect(await page.content()).not.toContain('anna.berg')
      expect(rig.handled).toEqual(['order-18 1', 'order-18 2'])
      rig.broken.delete('order-17')
      // The buttons of a job are pictures without a name: the first one is its Retry.
      await buttonsOf(page).first().click()
      await page.getByRole('button', { name: 'Confirm' }).click()
      await rig.until(() => rig.handled.length === 5)
      expect(rig.handled.slice(2)).toEqual(['order-17 1', 'order-17 2', 'order-17 3'])
      expect(rig.ruled).toEqual(['order-17 requeued by console operator: ruled'])
      await page.getByText('Placed order-17').first().waitFor({ state: 'detached' })
      await picture(page, 'retried')
    }))

  test('a viewer sees the same and has nothing to press', () =>
    quietVisit(browser, { viewport: { width: 1280, height: 900 } }, async (page) => {
      rig.broken.add('order-17')
      await rig.append('order-17 4')
      await logIn(page, tokens.viewer)
      await rig.until(async () => {
        const answer = await page.request.get(
          `${rig.url}/api/queues?activeQueue=retry.orders.bill&status=failed`,
        )
        return (await answer.text()).includes('Placed order-17')
      })
      await openFailed(page)
      await picture(page, 'viewer')
      expect(await page.getByRole('button', { name: 'Retry', exact: true }).count()).toBe(0)
    }))
})
