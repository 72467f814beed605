import type { Markup } from '@millrace/hono'
import type { DeadItem, GroupPartition, GroupStore } from '@millrace/processor'
import { html } from 'hono/html'
import { operatorPage } from './operator-page.ts'
import { shownItem } from './repairs-output.ts'

/** What the page of dead letters reads. */
export interface DeadPageSource {
  readonly store: Pick<GroupStore, 'deadItems'>
  readonly groups: readonly Omit<GroupPartition, 'partition'>[]
}

type Row = ReturnType<typeof shownItem> & { readonly topic: string; readonly group: string }

/** Most rows that are shown, of each partition and in all. */
const mostOfPartition = 50
const mostRows = 500

/** Events that could not be processed, and keys that wait for an operator, of all groups: the latest first. */
export async function deadPage({ store, groups }: DeadPageSource): Promise<Markup> {
  let isAll = true
  const found = await Promise.all(
    groups.flatMap(({ topic, group }) =>
      Array.from({ length: topic.partitions }, async (_, partition) => {
        const at = { topic, group, partition }
        const { items, next } = await store.deadItems(at, { limit: mostOfPartition })
        isAll &&= next === undefined
        return items.map((item: DeadItem): Row => ({ ...shownItem(item, at), topic: topic.name, group }))
      }),
    ),
  )
  const rows = found.flat().toSorted((a, b) => b.atMs - a.atMs)
  const shown = rows.slice(0, mostRows)
  return operatorPage(
    'Dead letters',
    '/explain/dead-letters',
    rows.length === 0
      ? html`<p>There are none: nothing waits for an operator.</p>`
      : html`<p>
            ${shown.length === 1 ? '1 event' : `${shown.length} events`} that could not be
            processed${isAll && shown.length === rows.length ? '' : ', and there are more'}. The terminal
            repairs them: <code>npx millrace dead --help</code>. Texts are masked.
          </p>
          <table>
            <thead>
              <tr>
                <th>When</th>
                <th>Group</th>
                <th>Event</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              ${shown.map(rowOf)}
            </tbody>
          </table>`,
  )
}

function rowOf({ atMs, topic, group, key, type, reason, message, position, status, behind }: Row): Markup {
  const at = new Date(atMs).toISOString()
  return html`<tr>
    <td class="name"><time datetime="${at}">${at.slice(0, 19).replace('T', ' ')}</time></td>
    <td class="name">${group}</td>
    <td>
      ${type} of <a href="/explain/key/${topic}/${encodeURIComponent(key)}">${key}</a><br /><code
        >${position}</code
      >
    </td>
    <td>
      <strong>${reason}</strong
      >${status === 'held' ? `: its key waits for an operator, with ${behind} events` : ''}<br />${message}
    </td>
  </tr>`
}
