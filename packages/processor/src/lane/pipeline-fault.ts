import { MillraceError } from '@millrace/event'

const instead =
  'mergeMap, concatMap, switchMap, exhaustMap, delay, debounceTime, throttleTime, bufferCount, bufferTime'

/** A value came without its delivery. */
export function unheld(where: string): MillraceError {
  return new MillraceError(
    'pipeline.unheld',
    `A value reached ${where} without its delivery: an operator before it keeps values and hands them on later. ` +
      `Use the held version from @millrace/processor instead of the one from rxjs (${instead}), ` +
      'or a durable operator (durableDelay, durableDebounce, tumblingWindow, sessionWindow, join)',
    { details: { where } },
  )
}

/** State or memory of the key is changed by an earlier event after a later one has done so. */
export function outOfOrder(where: string): MillraceError {
  return new MillraceError(
    'pipeline.order',
    `${where} was reached by an event after a later one of the same key: an operator before it changes the order. ` +
      'Put it before mergeMap and other operators that let values overtake each other, or use concatMap',
    { details: { where } },
  )
}

/** The pipeline is over, or does not listen, and nothing was handled. */
export function endedIdle(): MillraceError {
  return new MillraceError(
    'pipeline.ended',
    'The pipeline completed, or stopped listening to its lane, before it had settled a single event. ' +
      'A pipeline is built on the lane that it is given and does not end by itself',
  )
}

/** An operator was unsubscribed while it kept values. */
export function abandoned(): MillraceError {
  return new MillraceError(
    'pipeline.abandoned',
    'An operator was unsubscribed while it held events. take, takeUntil, first, catchError, retry and the ' +
      'switchMap of rxjs do that to what stands before them: put them before the operator that keeps values, or ' +
      'inside the inner streams of mergeMap, concatMap, switchMap or exhaustMap from @millrace/processor',
  )
}

/** Somebody has subscribed to the lane again. */
export function resubscribed(): MillraceError {
  return new MillraceError(
    'pipeline.resubscribed',
    'The lane was subscribed to again, as retry, repeat and catchError((error, caught) => caught) do. It does not ' +
      'repeat its event: let the error through, the event is tried again; or catch it inside of an inner stream',
  )
}

/** Two outcomes that exclude each other. */
export function conflicting(what: string): MillraceError {
  return new MillraceError(
    'pipeline.outcome',
    `${what}. Decide about defer and dead before anything else is recorded`,
  )
}

/** The pipeline uses what its processor has not declared, or uses it twice. */
export function undeclared(what: string): MillraceError {
  return new MillraceError('pipeline.undeclared', what)
}
