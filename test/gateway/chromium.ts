import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'

const executablePath = '/usr/bin/chromium'
/** For the browser to come up, and for each step of a visit: a limit to what hangs, no measure. */
const patienceMs = 120_000

/**
 * Whether tests that need a browser run: left out on a machine that has none, but never where everything must be
 * proven. There they run, and fail.
 */
export const browserIsThere = existsSync(executablePath) || process.env['CI'] === 'true'

/** Starts the browser that is on the machine, with an empty profile and no business of its own. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    timeout: patienceMs,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Runs a visit; afterwards nothing may have been refused by the policy, nor any script have failed. */
export async function quietVisit(
  browser: Browser,
  options: BrowserContextOptions,
  steps: (page: Page) => Promise<void>,
  /** Complaints that the steps themselves cause. */
  expected = /status of [45]\d\d/,
): Promise<void> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(patienceMs)
  try {
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected.test(message.text())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await steps(page)
    expect(complaints).toEqual([])
  } finally {
    await context.close()
  }
}
