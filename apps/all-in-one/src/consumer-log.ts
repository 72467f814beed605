import type { ConsumerEvent } from '@millrace/processor'
import type { Logger } from '@millrace/service'

/** Writes down what an operator wants to read of a consumer: take-overs at debug, whatever goes wrong above. */
export function followed(logger: Logger): (event: ConsumerEvent) => void {
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
      case 'trouble':
        return logger.warn('Log or store could not be reached; tried again', { ...where, err: event.error })
      case 'stalled':
        return logger.error('Lag without progress', where)
      default:
        return logger.debug(event.kind, where)
    }
  }
}
