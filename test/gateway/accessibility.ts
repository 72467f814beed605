import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'

const script = readFileSync(new URL('accessibility-faults.js', import.meta.url), 'utf8')

/** Looks at a page as it is shown now; answers what somebody would stumble over, one sentence a fault. */
export function accessibilityFaults(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(script)
}
