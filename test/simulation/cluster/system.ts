import { newEvent, topic, type Topic } from '@millrace/event'
import {
  dead,
  defineEffect,
  durableDelay,
  type EffectContext,
  effect,
  emit,
  evolve,
  type HandlerContext,
  type Processor,
  processor,
  state,
} from '@millrace/processor'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { filter, merge, tap } from 'rxjs'
import { type Act, type Folded, folded, nothingFolded } from '../act.ts'

function anything<T>(): StandardSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace-simulation',
      validate: (value) => ({ value: value as T }),
    },
  }
}

/** What an emitted event says of where it comes from: a key and what of it was handled. */
export interface Origin {
  readonly key: string
  readonly cause: string
}

/** How long an event with a timer waits, in ms. */
const waitMs = 150

export const sourceOf = (partitions: number) =>
  topic('source', { types: { Asked: anything<Act>() }, partitions })
export const target = topic('target', { types: { Emitted: anything<Origin>() }, partitions: 2 })

type Source = ReturnType<typeof sourceOf>
type Asked = ReturnType<typeof newEvent>

/** What the handlers of a member need of the world around them. */
export interface Surroundings {
  seqOf(eventId: string): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** A handler starts; the answer is called at its end. */
  handling(context: HandlerContext<Folded>): () => void
  /** Whether a pipeline is to fail now. */
  fails(eventId: string, times: number): boolean
  performing(context: EffectContext): Promise<void>
}

/** The processor that a cluster runs: does what each event asks for, and folds what it has done. */
export function systemOf(
  form: 'handler' | 'pipeline',
  source: Source,
  around: Surroundings,
): Processor<Source, Folded> {
  const quote = defineEffect('quote', {
    schema: anything<{ id: string }>(),
    run: (_, context) => around.performing(context),
  })
  const base = {
    state: state({ initial: (): Folded => nothingFolded }),
    effects: [quote],
    onExhausted: 'skip-event',
  } as const
  const asking = (event: Asked) => ({
    key: event.subject,
    seq: around.seqOf(event.id),
    id: '',
    event,
    act: event.data as Act,
  })
  const origin = (key: string, cause: string) =>
    ({ type: 'Emitted', key: `of-${key}`, data: { key, cause } }) as const
  const fail = (): never => {
    throw new Error('not yet')
  }

  if (form === 'handler')
    return processor('members', source, {
      ...base,
      handle: (event, context) => {
        const end = around.handling(context)
        const act = () => {
          const { seq, act: asked } = asking(event)
          if (asked.do === 'fail' && context.attempt <= asked.times) fail()
          if (asked.do === 'dead') {
            context.dead('never')
            return
          }
          if (asked.do === 'wait' && !context.state.allowed) {
            context.defer('not allowed yet')
            return
          }
          context.evolve(folded(context.state, asking(event)))
          if (asked.do === 'emit') context.emit(target, origin(event.subject, String(seq)))
          if (asked.do === 'effect') context.effect(quote, { id: asked.id })
        }
        const { slowMs } = event.data
        if (slowMs !== undefined) return around.sleep(slowMs, context.signal).then(act).finally(end)
        try {
          act()
        } finally {
          end()
        }
        return undefined
      },
    })

  return processor('members', source, {
    ...base,
    pipeline: (lane) =>
      merge(
        lane.pipe(
          tap(({ id, data }) => {
            if (data.do === 'fail' && around.fails(id, data.times)) fail()
          }),
          dead(({ data }) => (data.do === 'dead' ? 'never' : undefined)),
          evolve((before, event) => folded(before, asking(event))),
          emit(target, ({ event }) =>
            event.data.do === 'emit' ? origin(event.subject, String(asking(event).seq)) : undefined,
          ),
          effect(quote, ({ event: { data } }) => (data.do === 'effect' ? { id: data.id } : undefined)),
        ),
        lane.pipe(
          filter(({ data }) => data.do === 'timer'),
          durableDelay('w', waitMs),
          evolve((before, event) => ({
            ...before,
            handled: [...before.handled, `w${asking(event).seq}`],
          })),
          emit(target, ({ event }) => origin(event.subject, `w${asking(event).seq}`)),
        ),
      ),
  })
}

/** Makes an event of the source. */
export function askedEvent(source: Topic, id: string, key: string, act: Act, nowMs: number): Asked {
  return newEvent(source, { type: 'Asked', key, data: act, id, time: new Date(nowMs).toISOString() })
}
