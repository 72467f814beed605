import type { EventLog } from '@millrace/log'
import type { GenerationStore, GroupPartition, Stories } from '@millrace/processor'

/** A log and a group store whose time the simulation turns. */
export interface SimulatedServer {
  readonly log: EventLog
  readonly store: GenerationStore
  /** What it remembers of events: only read. */
  readonly stories: Stories
  setTime(nowMs: number): void
  /** Ways to harm it from outside, by name, for one call: see {@link Harm}. None where there is no outside. */
  readonly harms: readonly Harm[]
  /** Compares what it holds with its twin, if it has one. @throws Violation */
  compare(at: GroupPartition): Promise<void>
  /** What only this kind of server can be asked, when the story is over. @throws Violation */
  afterwards(at: GroupPartition): Promise<void>
}

/** Something that befalls a server from outside. */
export interface Harm {
  readonly name: string
  /** No seed has most of it. */
  readonly rare?: boolean
  /** Whether a call that says this meets it. */
  concerns(what: string, content: unknown): boolean
  /** Befalls it for the one call that is carried out inside. @param content What the call says. */
  during(at: GroupPartition, act: () => Promise<void>, content: unknown): Promise<void>
}

/** The same object with some of its methods replaced. */
export function watched<T extends object>(inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name) as unknown
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
}
