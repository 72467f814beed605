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
      // The buttons of a job are pictures without a name: the first one behind those of the list is its Retry.
      await page.getByRole('button', { name: 'Clean all' }).locator('xpath=following::button[1]').click()
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
