import type { EffectContext } from '@millrace/processor'
import type { SalesTask } from './domain/settle-buyer.ts'

/** A task of one kind. */
type TaskOf<Kind extends SalesTask['kind']> = Extract<SalesTask, { readonly kind: Kind }>

/** What a task is carried out for. */
export type TaskContext = Pick<EffectContext, 'key' | 'correlationId' | 'causationId' | 'signal'>

/**
 * Carries out what is to be done for a buyer (the key of the context). Each may be asked for again, with the same task:
 * it must come to the same as once.
 */
export interface SalesDesk {
  quote(task: TaskOf<'quote'>, context: TaskContext): Promise<void>
  contact(context: TaskContext): Promise<void>
  call(task: TaskOf<'call' | 'cancel-call'>, context: TaskContext): Promise<void>
  tellAccepted(task: TaskOf<'tell-accepted'>, context: TaskContext): Promise<void>
}
