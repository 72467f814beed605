/** From a tenth of a millisecond: what a handler or a script call takes. */
export const shortSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
] as const

/** Up to hours: what a backlog, a pause or a repair takes. */
export const longSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 21_600,
] as const

export const batchSizes = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500] as const
