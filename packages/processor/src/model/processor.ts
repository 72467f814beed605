import type { Event, EventOf, Topic } from '@millrace/event'
import type { Observable } from 'rxjs'
import { assertGroupName } from '../group-store.ts'
import type { AnyEffect } from './effect.ts'
import type { Handler } from './handler.ts'
import type { LaneEvent } from './lane-event.ts'
import type { Comparison, ShadowOptions } from './shadow.ts'
import type { StateDefinition } from './state.ts'

/** Names of a topic's event types. */
export type TypeNameOf<T extends Topic> = EventOf<T>['type']

/** The events of a topic that have one of these types. */
export type EventNamed<T extends Topic, Name extends string> = Extract<EventOf<T>, { readonly type: Name }>

/** What becomes of an event whose attempts have run out, or that no attempt can mend. */
export type OnExhausted =
  /** The key waits for an operator; its later events line up behind. */
  | 'hold-key'
  /** The event becomes a dead letter; the key goes on. */
  | 'skip-event'

/** What is made of an event that its handler defers, because its precondition is missing. */
export type OnUnmet =
  /** It is set aside, and offered again until its precondition has come or its time is over. */
  | 'defer'
  /** It counts as done, as if it had not come; the consumer's news tell it. */
  | 'ignore'
  /** It becomes a dead letter that says what was missing (`event.unmet`); the key goes on. */
  | 'dead'

/** A pipeline: an operator function over a lane. Called once a lane; what it gives out is of no use but to check. */
export type Pipeline<E, S> = (lane: Observable<LaneEvent<E, S>>) => Observable<unknown>

interface ProcessorBase<T extends Topic, S, Name extends string> {
  /** The types to handle; events of others count as done. Default: all of the topic. */
  readonly types?: readonly (Name & TypeNameOf<T>)[]
  /** Needed for `evolve`. */
  readonly state?: StateDefinition<S>
  /** The effects that it may record. */
  readonly effects?: readonly AnyEffect[]
  /** Default `hold-key`. */
  readonly onExhausted?: OnExhausted
  /** What `defer` means, by type of event. Default `defer` for each. */
  readonly onUnmet?: { readonly [Type in NoInfer<Name> & TypeNameOf<T>]?: OnUnmet }
  /**
   * Hands events over as they are stored: of every type, of any version and unchecked, so that a handler gets no more
   * than an envelope. For views, which bring events to their present version themselves. Default false: what cannot be
   * brought there is poison and never gets to a handler.
   */
  readonly asStored?: boolean
  /** It runs beside the system that it is to replace. Default: it does not, and its effects are carried out. */
  readonly shadow?: ShadowOptions
  /** What of its states is compared with another system, and how. Needs `state`. */
  readonly compare?: Comparison<S>
}

/** Options of a processor with a pipeline. */
export interface PipelineOptions<T extends Topic, S, Name extends string> extends ProcessorBase<T, S, Name> {
  readonly pipeline: Pipeline<EventNamed<T, Name>, S>
  readonly handle?: never
}

/** Options of a processor with a plain handler. */
export interface HandlerOptions<T extends Topic, S, Name extends string> extends ProcessorBase<T, S, Name> {
  readonly handle: Handler<EventNamed<T, Name>, S>
  readonly pipeline?: never
}

/** What runs in a lane, without the types of its topic. */
export type Program =
  | { readonly kind: 'pipeline'; readonly build: (lane: Observable<Event>) => Observable<unknown> }
  | { readonly kind: 'handler'; readonly handle: Handler<Event, unknown> }

/** A processor as it was declared: everything that does not depend on where it runs. */
export interface Processor<T extends Topic = Topic, S = unknown> {
  /** Name of its group. */
  readonly name: string
  readonly topic: T
  /** Undefined: all types of the topic. */
  readonly types: ReadonlySet<string> | undefined
  readonly state: StateDefinition<S> | undefined
  readonly effects: ReadonlyMap<string, AnyEffect>
  readonly onExhausted: OnExhausted
  /** Types whose events are not set aside when they are deferred. */
  readonly onUnmet: ReadonlyMap<string, Exclude<OnUnmet, 'defer'>>
  readonly asStored: boolean
  readonly shadow: Required<ShadowOptions> | undefined
  readonly compare: Comparison<S> | undefined
  readonly program: Program
}

/**
 * Declares a processor: a group that handles the events of a topic, in order for each key. Throws a TypeError when
 * the declaration is wrong: that is a mistake in code.
 *
 * @param name Name of the group: lower case letters, digits and dashes.
 */
export function processor<T extends Topic, S = never, const Name extends TypeNameOf<T> = TypeNameOf<T>>(
  name: string,
  topic: T,
  options: PipelineOptions<T, S, Name> | HandlerOptions<T, S, Name>,
): Processor<T, S> {
  assertGroupName(name)
  const unmet = Object.entries<OnUnmet | undefined>(options.onUnmet ?? {})
  for (const type of [...(options.types ?? []), ...unmet.map(([name]) => name)])
    if (!Object.hasOwn(topic.types, type))
      throw new TypeError(`Processor ${name}: topic ${topic.name} has no event type "${type}"`)
  if (options.compare && !(options.state && (options.compare.load ?? options.state.firstTouch)))
    throw new TypeError(`Processor ${name}: compare needs a state, and somebody to ask for another one`)
  const effects = new Map<string, AnyEffect>()
  for (const effect of options.effects ?? []) {
    if (effects.has(effect.name))
      throw new TypeError(`Processor ${name}: two effects are called ${effect.name}`)
    effects.set(effect.name, effect)
  }
  return {
    name,
    topic,
    types: options.types === undefined ? undefined : new Set<string>(options.types),
    state: options.state,
    effects,
    onExhausted: options.onExhausted ?? 'hold-key',
    onUnmet: new Map(
      unmet.flatMap(([type, what]) => (what === undefined || what === 'defer' ? [] : [[type, what]])),
    ),
    asStored: options.asStored ?? false,
    shadow: options.shadow && { initially: options.shadow.initially ?? 'none' },
    compare: options.compare,
    program: programOf(options),
  }
}

// From here on nobody knows the topic's types: the engine hands over what the codec has checked against them.
function programOf<T extends Topic, S, Name extends string>(
  options: PipelineOptions<T, S, Name> | HandlerOptions<T, S, Name>,
): Program {
  return options.pipeline === undefined
    ? { kind: 'handler', handle: options.handle as Handler<Event, unknown> }
    : { kind: 'pipeline', build: options.pipeline as (lane: Observable<Event>) => Observable<unknown> }
}
