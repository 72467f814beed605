/** All keys of a simulation at the port. */
export const keys = ['a', 'b', 'cc', 'dd'] as const
