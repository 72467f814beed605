const merging = 'mergeMap or concatMap of @millrace/processor'
const gathering = 'bufferTime or tumblingWindow of @millrace/processor'
const calming = 'debounceTime or durableDebounce of @millrace/processor'
const thinning = 'throttleTime of @millrace/processor'
const folding = 'evolve of @millrace/processor'
const direct = 'nothing: hand values on at once'

/**
 * Operators of RxJS that keep values and hand them on later, each with what to use in a pipeline instead. Most are
 * noticed when they hand something on (`pipeline.unheld`), but some look like any operator that drops values: their
 * events are settled too early, and a crash loses them. So a linter has to refuse the import, for example with
 * `no-restricted-imports`.
 */
export const unheldOperators: Readonly<Record<string, string>> = {
  audit: thinning,
  auditTime: thinning,
  buffer: gathering,
  bufferCount: 'bufferCount of @millrace/processor',
  bufferTime: gathering,
  bufferToggle: gathering,
  bufferWhen: gathering,
  concatAll: merging,
  concatMap: merging,
  concatMapTo: merging,
  count: folding,
  debounce: calming,
  debounceTime: calming,
  delay: 'delay or durableDelay of @millrace/processor',
  delayWhen: merging,
  exhaustAll: 'exhaustMap of @millrace/processor',
  exhaustMap: 'exhaustMap of @millrace/processor',
  expand: merging,
  flatMap: merging,
  last: folding,
  mergeAll: merging,
  mergeMap: merging,
  mergeMapTo: merging,
  mergeScan: merging,
  observeOn: direct,
  reduce: folding,
  sample: thinning,
  sampleTime: thinning,
  subscribeOn: direct,
  switchAll: 'switchMap of @millrace/processor',
  switchMap: 'switchMap of @millrace/processor',
  switchMapTo: 'switchMap of @millrace/processor',
  switchScan: 'switchMap of @millrace/processor',
  takeLast: folding,
  throttleTime: thinning,
  toArray: gathering,
  window: gathering,
  windowCount: gathering,
  windowTime: gathering,
  windowToggle: gathering,
  windowWhen: gathering,
  zip: 'join of @millrace/processor',
  zipAll: 'join of @millrace/processor',
  zipWith: 'join of @millrace/processor',
}
