import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityFaults } from './accessibility.ts'
import { browserIsThere, quietVisit, startBrowser } from './chromium.ts'
import { fillSignUp, send, expectWholeWay } from './journey.ts'
import type { FakeServices } from './fake-services.ts'
import { startGateway, startRealGateway, type TestGateway } from './start-gateway.ts'

describe.skipIf(!browserIsThere)('the pages in Chromium', () => {
  let browser: Browser
  let gateway: TestGateway<FakeServices>
  beforeAll(async () => {
    const limits = { commandTimeoutMs: 60_000 }
    ;[browser, gateway] = await Promise.all([startBrowser(), startGateway({ limits })])
  })
  afterAll(async () => {
    await browser.close()
    await gateway.stop()
  })

  const visit = (options: BrowserContextOptions, steps: (page: Page) => Promise<void>) =>
    quietVisit(browser, options, steps)
  const pathOf = (page: Page) => page.url().slice(gateway.url.length)

  it.each([
    { scripts: 'with', javaScriptEnabled: true },
    { scripts: 'without', javaScriptEnabled: false },
  ])('carry a visitor all the way, $scripts scripts', async ({ scripts, javaScriptEnabled }) => {
    await visit({ javaScriptEnabled }, (page) =>
      expectWholeWay(page, {
        url: gateway.url,
        email: `åsa.${scripts}@exämple.org`,
        moved: `moved.${scripts}@example.org`,
        lastMail: () => Promise.resolve(gateway.services.mails.at(-1) ?? { to: '', token: '' }),
      }),
    )
  })

  it('carry a visitor all the way, before the services as they are', async () => {
    const real = await startRealGateway()
    try {
      await visit({}, (page) =>
        expectWholeWay(page, {
          url: real.url,
          email: 'åsa@exämple.org',
          moved: 'moved@example.org',
          lastMail: async () => (await real.services.mails()).at(-1) ?? { to: '', token: '' },
        }),
      )
    } finally {
      await real.stop()
    }
  })

  it.each([
    { scripts: 'with', javaScriptEnabled: true, posts: 1 },
    { scripts: 'without', javaScriptEnabled: false, posts: 2 },
  ])(
    'make one account of an impatient visitor, $scripts scripts',
    async ({ scripts, javaScriptEnabled, posts }) => {
      const email = `impatient.${scripts}@example.org`
      const { services } = gateway
      const calls = () => services.seen.filter(({ call }) => call === 'POST /users').length
      await visit({ javaScriptEnabled }, async (page) => {
        await page.goto(gateway.url)
        await fillSignUp(page, email)
        const before = calls()
        const second = Promise.withResolvers<void>()
        services.faults.command.hangUntil = second.promise
        const { x, y } = (await page.getByRole('button', { name: 'Create account' }).boundingBox()) ?? {
          x: 0,
          y: 0,
        }
        await page.mouse.click(x + 9, y + 9)
        await expect.poll(calls).toBe(before + 1)
        await page.mouse.click(x + 9, y + 9)
        // A script takes the second click for the same one.
        await expect.poll(calls).toBe(before + posts)
        second.resolve()
        await expect.poll(() => pathOf(page)).toBe('/welcome')
        delete services.faults.command.hangUntil
        await page.reload()
        await page.goBack()
        await fillSignUp(page, email)
        await send(page, 'Create account')
        expect([...services.accounts.values()].filter((one) => one.email === email)).toHaveLength(1)
      })
    },
  )

  it('let a typed password be looked at, and never send it as a text field', async () => {
    await visit({}, async (page) => {
      await page.goto(gateway.url)
      await page.getByLabel('Password', { exact: true }).fill('correct horse')
      await page.getByRole('button', { name: 'Show password' }).click()
      expect(await page.locator('#password').getAttribute('type')).toBe('text')
      await page.getByRole('button', { name: 'Hide password' }).click()
      expect(await page.locator('#password').getAttribute('type')).toBe('password')
    })
  })

  it.each([
    { name: 'light', colorScheme: 'light', viewport: { width: 1200, height: 800 } },
    { name: 'dark, on a narrow phone', colorScheme: 'dark', viewport: { width: 320, height: 640 } },
  ] as const)('can be used by everybody: $name', async ({ name, ...options }) => {
    await visit({ ...options, reducedMotion: 'reduce' }, async (page) => {
      const faults: string[] = []
      const look = async (what: string) => {
        for (const fault of await accessibilityFaults(page)) faults.push(`${what}: ${fault}`)
      }
      const open = async (path: string) => {
        await page.goto(gateway.url + path)
        await look(path)
      }
      for (const path of [
        '/',
        '/sign-in?why=out',
        '/resend',
        '/activate?token=a.b.c',
        '/activate',
        '/activated',
        '/welcome',
        '/404',
      ])
        await open(path)
      await page.goto(gateway.url)
      await send(page, 'Create account')
      await look('sign-up with faults')
      await fillSignUp(page, `everybody.${name.length}@example.org`)
      await send(page, 'Create account')
      await look('welcome')
      await open('/account')
      await send(page, 'Change password')
      await look('account with faults')
      await send(page, 'Close account')
      await look('account, box not ticked')
      expect(faults).toEqual([])
      const duration = "getComputedStyle(document.querySelector('.button')).transitionDuration"
      expect(await page.evaluate<string>(duration)).toBe('0s')
    })
  })

  it('planted: what is wrong with a page is found', async () => {
    await visit({ viewport: { width: 320, height: 640 } }, async (page) => {
      await page.setContent(
        '<title></title><h1>A</h1><h1>B</h1><p style="color:#999">grey</p><input id="a" name="a" aria-invalid="true">' +
          '<a href="#b"></a><div id="a" aria-describedby="c" style="width:900px">wide</div><button style="width:9px">x</button>',
      )
      const found = (await accessibilityFaults(page)).join('\n')
      for (const fault of [
        'no language',
        'no title',
        'not one first heading',
        'comes twice',
        'has no label',
        'not tied to it',
        'has no text',
        'points to #b',
        'points to c',
        'is inline',
        'contrast of 2.85',
        'The page is',
        '× ',
      ])
        expect(found).toContain(fault)
    })
  })

  it('show where the focus is', async () => {
    await visit({}, async (page) => {
      await page.goto(gateway.url)
      const unseen: string[] = []
      for (let at = 0; at < 9; at += 1) {
        await page.keyboard.press('Tab')
        const one = 'document.activeElement'
        const outline = await page.evaluate<string>(
          `getComputedStyle(${one}).outline + ' ' + ${one}.outerHTML`,
        )
        if (!/ solid 3px /.test(outline)) unseen.push(outline)
      }
      expect(unseen).toEqual([])
    })
  })
})
