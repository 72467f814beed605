export { catalogue, type ErrorCode, type ErrorEntry } from './catalogue.ts'
export { type Clock, systemClock } from './clock.ts'
export {
  decodeEvent,
  encodeEvent,
  type EncodedEvent,
  envelopeOf,
  newEncodedEvent,
  newEvent,
} from './codec.ts'
export { correlationOf, isCorrelationId } from './correlation-id.ts'
export { type FieldError, MillraceError, type MillraceErrorOptions } from './error.ts'
export type { Event, EventDraft } from './event.ts'
export { derivedId, freshId, keyedId } from './ids.ts'
export { assertSafe, type JsonBounds, parseJson } from './json.ts'
export { limits } from './limits.ts'
export { maskAddress, maskText } from './masking.ts'
export { partitionOf } from './partition.ts'
export { systemRandom } from './random.ts'
export { randomHex } from './random-hex.ts'
export { fieldErrors, type OutputOf, type Schema, validate } from './schema.ts'
export {
  currentScope,
  enterScope,
  keepScopes,
  leaveScope,
  runInScope,
  type Scope,
  scopeHeaders,
  scopesKept,
} from './scope.ts'
export { oversizeEvent, storedEvent } from './stored-event.ts'
export { systemElapsedMs, systemTimers, type Timers } from './timers.ts'
export {
  type EventOf,
  partitionOfKey,
  type Topic,
  topic,
  type TopicOptions,
  type TypesOfTopic,
  upcast,
  type Upcaster,
  validateData,
  type VersionedType,
  versionOf,
} from './topic.ts'
export {
  childTrace,
  continueTrace,
  derivedTrace,
  isSampled,
  type TraceContext,
  traceContextOf,
  type TraceSampler,
} from './trace-context.ts'
export { type TracedCall, tracedCall } from './traced-call.ts'
export { VirtualTime } from './virtual-time.ts'
export {
  type CallWork,
  type DeliveryWork,
  type EffectWork,
  type FeedWork,
  type JobWork,
  type MailWork,
  type RepairWork,
  type RequestWork,
  tellWork,
  type Work,
  workChannel,
  workNowMs,
  workTraced,
} from './work.ts'
