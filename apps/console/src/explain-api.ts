import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { headerOf, type KitContext, type KitEnv, operation, problem } from '@millrace/hono'
import type { Explainer, Story } from '@millrace/processor'
import { Hono } from 'hono'
import { explainRoleOf } from './explain-access.ts'
import { deadPage, type DeadPageSource } from './dead-page.ts'
import { askPage, type InVain, storyPage } from './explain-page.ts'
import { operatorPolicy } from './operator-page.ts'
import { Sessions, type Tokens } from './session.ts'
import { storySchema } from './story-schema.ts'

/** What the interface of stories works with. */
export interface ExplainApiOptions {
  readonly explainer: Pick<Explainer, 'correlation' | 'event' | 'key'>
  /** Topics whose keys can be asked for. */
  readonly topics: readonly string[]
  /** Groups whose dead letters are listed, and where those are. */
  readonly dead: DeadPageSource
  /** Who may look. With none, nobody can. */
  readonly tokens: Tokens
  readonly clock?: Clock
}

/** Where it is to be found: everything that it answers lies there or below. */
export const explainPath = '/explain'

/**
 * What became of a request, an event or a key: JSON, or a page of text for browsers, for whoever has a token of the
 * console or has logged in there. And a page of what nothing became of: dead letters.
 */
export function createExplainApi(options: ExplainApiOptions): Hono<KitEnv> {
  const { explainer, topics, tokens, dead, clock = systemClock } = options
  const sessions = new Sessions(tokens, clock)
  const app = new Hono<KitEnv>()
  const answer = async (
    c: KitContext,
    wanted: Omit<InVain, 'word'>,
    ask: () => Promise<Story>,
  ): Promise<Response> => {
    c.header('Vary', 'Accept')
    try {
      const story = await ask()
      return wantsPage(c) ? await shown(c, storyPage(story)) : c.json(story)
    } catch (error) {
      if (!(wantsPage(c) && error instanceof MillraceError && error.status === 404)) throw error
      return shown(c, askPage(topics, { ...wanted, word: `${error.message}.` }), 404)
    }
  }
  for (const path of [explainPath, `${explainPath}/*`])
    app.use(path, (c, next) => {
      if (explainRoleOf(c, sessions) !== undefined) return next()
      return Promise.resolve(unknown(c))
    })
  app.get(explainPath, async (c) => {
    const { by = '', id = '' } = c.req.query()
    if (id === '' || !/^(?:correlation|event|key\/[a-z][a-z0-9-]{0,62})$/.test(by))
      return shown(c, askPage(topics))
    return c.redirect(`${explainPath}/${by}/${encodeURIComponent(id.trim())}`, 303)
  })
  app.get(`${explainPath}/dead-letters`, async (c) => shown(c, await deadPage(dead)))
  app.get(`${explainPath}/correlation/:id`, operation(described('a correlation id led to')), (c) => {
    const id = c.req.param('id')
    return answer(c, { by: 'correlation', id }, () => explainer.correlation(id))
  })
  app.get(`${explainPath}/event/:id`, operation(described('became of an event')), (c) => {
    const id = c.req.param('id')
    return answer(c, { by: 'event', id }, () => explainer.event(id))
  })
  app.get(`${explainPath}/key/:topic/:key{.+}`, operation(described('became of a key')), (c) => {
    const { topic, key } = c.req.param()
    return answer(c, { by: `key/${topic}`, id: key }, () => explainer.key(topic, key))
  })
  return app
}

function described(what: string) {
  return {
    summary: `What ${what}, in the order of time`,
    description: 'JSON, or a page for a browser. Without data of events; addresses are masked.',
    tags: ['explain'],
    answers: { 200: { description: 'The story', schema: storySchema } },
    problems: ['story.unknown', 'topic.unknown', 'request.unauthorized', 'log.unavailable'],
    secured: true,
  } as const
}

function wantsPage(c: KitContext): boolean {
  return (headerOf(c, 'accept') ?? '').includes('text/html')
}

/** Browsers are led to the login, and from there back to here. */
function unknown(c: KitContext): Response {
  if (wantsPage(c)) return c.redirect(`/queues/login?to=${new URL(c.req.url).pathname}`, 303)
  return problem(c, new MillraceError('request.unauthorized', 'Log in, or send a token of the console'))
}

function shown(
  c: KitContext,
  page: ReturnType<typeof storyPage>,
  status: 200 | 404 = 200,
): Promise<Response> {
  return Promise.resolve(c.html(page, status, { 'Content-Security-Policy': operatorPolicy }))
}
