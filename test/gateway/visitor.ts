interface Load {
  readonly method: 'GET' | 'POST'
  readonly body?: URLSearchParams
  readonly headers?: Readonly<Record<string, string>>
}

/** A browser without scripts, as small as can be: cookies, redirects and the hidden fields of forms. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  /** Every `Set-Cookie` so far. */
  readonly setCookies: string[] = []
  /** Of the last answer. */
  status = 0
  text = ''
  /** Path and query that the last answer came from, after redirects. */
  path = ''
  readonly #base: string
  readonly #formHeaders: Readonly<Record<string, string>>

  /** `formHeaders`: what a browser says of where a form comes from. */
  constructor(
    base: string,
    formHeaders: Readonly<Record<string, string>> = { 'sec-fetch-site': 'same-origin' },
  ) {
    this.#base = base
    this.#formHeaders = formHeaders
  }

  /** Loads a page. */
  async open(path: string): Promise<void> {
    await this.#load(path, { method: 'GET' })
  }

  /** Posts a form with these fields. */
  async post(path: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.#load(path, { method: 'POST', body: new URLSearchParams(fields), headers: this.#formHeaders })
  }

  /** Fills in the form of the present page that goes to this address, and sends it. */
  async send(action: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await this.post(action, { ...this.hidden(action), ...fields })
  }

  /** Hidden fields of the present page's form. */
  hidden(action: string): Readonly<Record<string, string>> {
    const [, form] = new RegExp(`<form[^>]*action="${action}"[^>]*>([\\s\\S]*?)</form>`).exec(this.text) ?? []
    if (form === undefined) throw new Error(`${this.path} has no form for ${action}`)
    const inputs = form.match(/<input[^>]*type="hidden"[^>]*>/g) ?? []
    return Object.fromEntries(inputs.map((input) => [attribute(input, 'name'), attribute(input, 'value')]))
  }

  /** Names of the cookies, sorted. */
  cookieNames(): string[] {
    return [...this.cookies.keys()].toSorted()
  }

  async #load(path: string, init: Load): Promise<void> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(this.#base + path, {
      ...init,
      redirect: 'manual',
      headers: { accept: 'text/html,*/*;q=0.8', ...(cookie === '' ? {} : { cookie }), ...init.headers },
    })
    for (const line of answer.headers.getSetCookie()) this.#keep(line)
    const location = answer.headers.get('location')
    if (answer.status === 303 && location !== null) {
      await answer.body?.cancel()
      return this.#load(location, { method: 'GET' })
    }
    this.status = answer.status
    this.path = path
    this.text = await answer.text()
  }

  #keep(line: string): void {
    this.setCookies.push(line)
    const [pair = ''] = line.split(';')
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    if (/Max-Age=0/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, pair.slice(at + 1))
  }
}

function attribute(tag: string, name: string): string {
  const [, value = ''] = new RegExp(`\\b${name}="([^"]*)"`).exec(tag) ?? []
  return value.replaceAll('&quot;', '"').replaceAll('&amp;', '&')
}

/** What somebody types into the sign-up form. */
export function person(email: string) {
  return { username: 'Åsa', email, password: 'correct horse battery' }
}

/** A visitor who has just signed up. */
export async function signUpAs(url: string, email: string): Promise<Visitor> {
  const visitor = new Visitor(url)
  await visitor.open('/')
  await visitor.send('/', person(email))
  if (visitor.path !== '/welcome') throw new Error(`Sign-up ended at ${visitor.path} with ${visitor.status}`)
  return visitor
}
