import type { TraceSampler } from '@millrace/event'

/** Names of samplers, as OTEL_TRACES_SAMPLER has them. */
export const samplerNames = [
  'parentbased_traceidratio',
  'traceidratio',
  'parentbased_always_on',
  'always_on',
  'parentbased_always_off',
  'always_off',
] as const

/** One of {@link samplerNames}. */
export type SamplerName = (typeof samplerNames)[number]

// As many hexadecimal digits as a number holds exactly.
const digits = 13

/**
 * Decides which traces are recorded. By ratio it is the random part of the trace's id that decides, so that every
 * service with the same ratio comes to the same; `parentbased` ones heed what the caller has decided, if there is one.
 */
export function samplerOf(name: SamplerName, ratio: number): TraceSampler {
  const share = name.endsWith('always_on') ? 1 : name.endsWith('always_off') ? 0 : ratio
  const byId: TraceSampler = (traceId) =>
    share >= 1 || Number.parseInt(traceId.slice(-digits), 16) / 16 ** digits < share
  return name.startsWith('parentbased') ? (traceId, byCaller) => byCaller ?? byId(traceId, undefined) : byId
}
