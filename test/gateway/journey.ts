import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** What a journey needs to know. */
export interface Journey {
  readonly url: string
  /** Two addresses that nobody has. */
  readonly email: string
  readonly moved: string
  /** The newest mail with a link. */
  readonly lastMail: () => Promise<{ readonly to: string; readonly token: string }>
}

/** Fills in the sign-up form. */
export async function fillSignUp(
  page: Page,
  email: string,
  password = 'correct horse battery',
): Promise<void> {
  await page.getByLabel('Name').fill('Åsa Ångström')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
}

/** Presses a button and waits for the page that comes. */
export async function send(page: Page, name: string): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name, exact: true }).click()])
}

/** The whole way of a visitor: sign-up, mistakes, success, activation, sign-in, changes, end. */
export async function expectWholeWay(page: Page, journey: Journey): Promise<void> {
  await signUpWithMistakes(page, journey)
  await confirmAddress(page, journey)
  await signInWithMistakes(page, journey)
  await changeAddress(page, journey)
  await changePassword(page, journey)
  await closeAccount(page, journey)
}

async function signUpWithMistakes(page: Page, { url, email }: Journey): Promise<void> {
  await page.goto(url)
  await fillSignUp(page, 'no address', '')
  await send(page, 'Create account')
  expect(await alertOf(page)).toContain('The address has no @.')
  expect(await alertOf(page)).toContain('Password is needed.')
  await expect.poll(() => hasFocus(page, '[role=alert]')).toBe(true)
  expect(await page.getByLabel('Name').inputValue()).toBe('Åsa Ångström')
  await page.getByRole('alert').getByRole('link', { name: 'The address has no @.' }).click()
  await expect.poll(() => hasFocus(page, '#email')).toBe(true)
  await fillSignUp(page, email)
  await send(page, 'Create account')
  expect(pathOf(page, url)).toBe('/welcome')
  expect(await textOf(page)).toContain(`å…${email.slice(email.indexOf('@'))}`)
  await send(page, 'Send it again')
  expect(await statusOf(page)).toContain('We’ve sent another e-mail')
}

async function confirmAddress(page: Page, { url, lastMail }: Journey): Promise<void> {
  const { token } = await lastMail()
  // Twice: mail programs and people open a link more than once.
  for (const title of [/is confirmed$/, /is confirmed$|was already confirmed$/]) {
    await page.goto(`${url}/activate?token=${token}`)
    await send(page, 'Confirm my address')
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(title)
  }
  const account = page.getByRole('link', { name: 'Go to your account' })
  await Promise.all([page.waitForEvent('load'), account.click()])
  expect(await textOf(page)).toMatch(/confirmed(?! yet)/)
  await send(page, 'Sign out')
  expect(await statusOf(page)).toContain('signed out')
}

async function signInWithMistakes(page: Page, { url, email }: Journey): Promise<void> {
  for (const [password, path] of [
    ['wrong password', '/sign-in'],
    ['correct horse battery', '/account'],
  ] as const) {
    await page.getByLabel('E-mail address').fill(email.toUpperCase())
    await page.getByLabel('Password', { exact: true }).fill(password)
    await send(page, 'Sign in')
    expect(pathOf(page, url)).toBe(path)
    if (path === '/sign-in') expect(await alertOf(page)).toContain('The address or the password is wrong')
  }
}

async function changeAddress(page: Page, { moved, lastMail }: Journey): Promise<void> {
  const field = page.getByLabel('New e-mail address')
  await field.fill('broken')
  await send(page, 'Change address')
  expect(await alertOf(page)).toContain('The address has no @.')
  expect(await field.inputValue()).toBe('broken')
  await field.fill(moved)
  await send(page, 'Change address')
  expect(await statusOf(page)).toContain('Your address has been changed')
  expect(await textOf(page)).toMatch(new RegExp(`${moved}\\s*not confirmed yet`))
  expect((await lastMail()).to).toBe(moved)
}

async function changePassword(page: Page, { url, moved }: Journey): Promise<void> {
  for (const current of ['wrong password', 'correct horse battery']) {
    await page.getByLabel('Current password', { exact: true }).fill(current)
    await page.getByLabel('New password', { exact: true }).fill('another long one')
    await send(page, 'Change password')
    if (current.startsWith('wrong')) expect(await alertOf(page)).toContain('Current password is not')
  }
  expect(pathOf(page, url)).toBe('/account?done=password')
  await send(page, 'Sign out')
  await page.getByLabel('E-mail address').fill(moved)
  await page.getByLabel('Password', { exact: true }).fill('another long one')
  await send(page, 'Sign in')
  expect(pathOf(page, url)).toBe('/account')
}

async function closeAccount(page: Page, { url }: Journey): Promise<void> {
  await send(page, 'Close account')
  expect(await alertOf(page)).toContain('Please tick the box')
  await page.getByLabel('I want to close my account for good').check()
  await send(page, 'Close account')
  expect(await statusOf(page)).toContain('Your account is closed')
  await page.goto(`${url}/account`)
  expect(pathOf(page, url)).toBe('/sign-in?why=ended')
}

function pathOf(page: Page, url: string): string {
  return page.url().slice(url.length)
}

function textOf(page: Page): Promise<string | null> {
  return page.getByRole('main').textContent()
}

function alertOf(page: Page): Promise<string | null> {
  return page.getByRole('alert').textContent()
}

function statusOf(page: Page): Promise<string | null> {
  return page.getByRole('status').textContent()
}

async function hasFocus(page: Page, selector: string): Promise<boolean> {
  return (await page.locator(`${selector}:focus`).count()) === 1
}
