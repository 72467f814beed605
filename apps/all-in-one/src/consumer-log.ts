import type { ConsumerEvent } from '@millrace/processor'
import type { Logger } from '@millrace/service'

/** Writes down what an operator wants to read of a consumer: take-overs at debug, whatever goes wrong above. */
export function followed(
  logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>,
): (event: ConsumerEvent) => void {
  return (event) => {
    const { topic, group } = event
    const where = { topic, group, ...('partition' in event ? { partition: event.partition } : {}) }
    switch (event.kind) {
      case 'leased':
        return logger.debug('Takes over a partition', where)
      case 'ended':
        if (event.error === undefined) return logger.debug(`Leaves a partition: ${event.reason}`, where)
        return logger.warn(`Leaves a partition: ${event.reason}`, { ...where, err: event.error })
      case 'retry':
        return logger.warn(`Attempt ${event.attempts} failed; again in ${event.delayMs} ms`, {
          ...where,
          seq: event.seq,
          err: event.error,
        })
      case 'dead':
        return logger.error(`Gave an event up: ${event.letter.reason}`, { ...where, seq: event.letter.seq })
      case 'ignored':
        return logger.info(`Leaves an event out: ${event.why}`, {
          ...where,
          seq: event.seq,
          type: event.type,
        })
      case 'parked': {
        const facts = { ...where, seq: event.seq, err: event.error }
        if (event.dueMs === undefined)
          return logger.error('A key waits for its first event to be repaired', facts)
        const at = new Date(event.dueMs).toISOString()
        return logger.warn(`A key waits: its first event failed, and is tried again at ${at}`, facts)
      }
      case 'effect-retry':
        return logger.warn(`Attempt ${event.attempts} of an effect failed; again in ${event.delayMs} ms`, {
          ...where,
          name: event.name,
          err: event.error,
        })
      case 'effect-dead':
        return logger.error('Gave an effect up', { ...where, name: event.name, err: event.error })
      case 'effect-breaker':
        return logger.warn(`The circuit breaker before effect ${event.name} is ${event.state}`, {
          ...where,
          state: event.state,
          reason: event.reason,
          count: event.waiting,
        })
      case 'effects-full':
        return logger.error('So many effects wait that no more events are taken in', {
          ...where,
          count: event.waiting,
        })
      case 'effects-flowing':
        return logger.warn('Events are taken in again', { ...where, count: event.waiting })
      case 'late':
        return logger.info('A dead letter that was put back was handled late', {
          ...where,
          seq: event.seq,
          behind: event.afterSeq,
        })
      case 'start-ignored':
        return logger.warn('The group has begun before: where it was to start is left out of account', where)
      case 'fenced':
        return logger.debug('A commit was refused: another member has the partition', where)
      case 'trouble':
        return logger.warn('Log or store could not be reached; tried again', { ...where, err: event.error })
      case 'stalled':
        return logger.error('Lag without progress', where)
      case 'progress':
      case 'effects-confirmed':
      case 'paused':
      case 'resumed':
      case 'member-live':
      case 'member-silent':
      case 'member-left':
      case 'assigned':
      case 'handing-over':
      case 'handed-over':
        return logger.debug(event.kind, where)
    }
  }
}
