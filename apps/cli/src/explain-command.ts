import { MillraceError } from '@millrace/event'
import { Explainer, type Story, storyText } from '@millrace/processor'
import { connectStories } from '@millrace/redis'
import { exitCodes } from './exit-codes.ts'
import { groupsNamed, reached, withLog } from './log-system.ts'
import type { RunningSystem } from './running-system.ts'
import type { Terminal } from './terminal.ts'
import type { OutputOptions } from './uniq-commands.ts'

/** What is asked of an explainer. */
export type Ask = (explainer: Explainer) => Promise<Story>

/** Connects, asks, and closes whatever happens. */
export async function withExplainer<T>(
  system: RunningSystem,
  act: (explainer: Explainer) => Promise<T>,
): Promise<T> {
  return withLog(system, async ({ log, groups: store }) => {
    const stories = await reached(connectStories({ url: system.redisUrl, name: 'millrace-cli' }))
    try {
      const groups = groupsNamed(undefined, undefined)
      return await act(new Explainer({ log, store, stories, index: stories.index, groups }))
    } finally {
      await stories.close()
    }
  })
}

/** `millrace explain`: the story as indented lines, or as JSON. */
export async function explain(
  explainer: Explainer,
  ask: Ask,
  options: OutputOptions,
  { out, err }: Terminal,
): Promise<number> {
  let story: Story
  try {
    story = await ask(explainer)
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'story.unknown')) throw error
    err.write(`${error.message}.\n`)
    return exitCodes.findings
  }
  if (options.json) out.write(`${JSON.stringify(story)}\n`)
  else out.write(written(story))
  return exitCodes.ok
}

function written(story: Story): string {
  const { title, lines, notes } = storyText(story)
  const width = Math.max(...lines.map(({ since }) => since.length))
  const told = lines.map(
    ({ at, since, depth, text }) => `${at}  ${since.padStart(width)}  ${'  '.repeat(depth)}${plain(text)}`,
  )
  return [plain(title), '', ...told, '', ...notes.map(plain), ''].join('\n')
}

/** Text that does nothing to a terminal: ids and messages come from outside. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ')
}
