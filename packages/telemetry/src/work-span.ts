import type { Work } from '@millrace/event'
import type { SpanDraft } from './span-draft.ts'
import { attributes as names, messaging, systems } from './span-names.ts'

type Told = Pick<SpanDraft, 'name' | 'kind' | 'attributes'>

/** The span of a piece of work that was told of. */
export function spanOfWork(work: Work): SpanDraft {
  const { traceparent, parent, links, startMs, tookMs, error, correlationId } = work
  const { attributes, ...told } = tellingOf(work)
  return {
    ...told,
    ...{ traceparent, parent, links, startMs, tookMs },
    ...(error === undefined ? serverError(work) : { error }),
    attributes: {
      [names.system in attributes ? names.conversation : names.correlation]: correlationId,
      ...attributes,
    },
  }
}

function tellingOf(work: Work): Told {
  switch (work.kind) {
    case 'request':
      return {
        name: `${work.method} ${work.route}`,
        kind: 'server',
        attributes: {
          [names.method]: work.method,
          [names.route]: work.route,
          [names.status]: work.status,
        },
      }
    case 'call':
      return {
        name: `${work.method} ${work.peer}`,
        kind: 'client',
        attributes: {
          [names.method]: work.method,
          [names.peer]: work.peer,
          [names.status]: work.status,
        },
      }
    case 'feed':
      return {
        name: `feed ${work.topic}`,
        kind: 'producer',
        attributes: {
          ...messaging(systems.log, 'feed', 'send', work.topic),
          [names.batchCount]: work.events,
        },
      }
    case 'delivery':
      return {
        name: `process ${work.topic}`,
        kind: 'consumer',
        attributes: {
          ...messaging(systems.log, 'process', 'process', work.topic),
          ...inGroup(work),
          [names.messageId]: work.eventId,
          [names.type]: work.type,
          [names.seq]: work.seq,
          [names.attempt]: work.attempt,
          ...(work.late ? { [names.late]: true } : {}),
        },
      }
    case 'effect':
      return {
        name: `effect ${work.name}`,
        kind: 'internal',
        attributes: {
          ...messaging(systems.log, 'effect', undefined, work.topic),
          ...inGroup(work),
          [names.effect]: work.name,
          [names.messageId]: work.eventId,
          [names.attempt]: work.attempt,
        },
      }
    case 'job':
      return {
        name: `${work.did === 'planned' ? 'schedule' : 'process'} ${work.queue}`,
        kind: work.did === 'planned' ? 'producer' : 'consumer',
        attributes: {
          ...(work.did === 'planned'
            ? messaging(systems.jobs, 'schedule', 'send', work.queue)
            : messaging(systems.jobs, 'process', 'process', work.queue)),
          ...inGroup(work),
          [names.messageId]: work.eventId,
          [names.type]: work.type,
          [names.attempt]: work.attempt,
        },
      }
    case 'mail':
      return {
        name: 'send mail',
        kind: 'client',
        attributes: {
          ...messaging(systems.mail, 'send', 'send', 'mail'),
          [names.messageId]: work.messageId,
        },
      }
    case 'repair':
      return {
        name: `repair ${work.topic}`,
        kind: 'internal',
        attributes: {
          ...messaging(systems.log, 'repair', undefined, work.topic),
          ...inGroup(work),
          [names.seq]: work.seq,
          [names.repair]: work.did,
        },
      }
  }
}

function inGroup({ group, partition }: { readonly group: string; readonly partition: number }) {
  return { [names.group]: group, [names.partition]: String(partition) }
}

/** An answer of 500 and above is a failure on the server's side; to a client every one from 400 on. */
function serverError(work: Work): { readonly error?: unknown } {
  if (work.kind !== 'request' && work.kind !== 'call') return {}
  const { status = 0 } = work
  return status >= (work.kind === 'request' ? 500 : 400) ? { error: String(status) } : {}
}
